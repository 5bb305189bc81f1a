/** Credentials for registries: files as programs write them, the order of files, and programs that keep them. */
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { askHelper } from '../../src/registry/credential-helper.ts'
import { findCredentials } from '../../src/registry/credentials.ts'
import { parseReference } from '../../src/registry/reference.ts'
import type { RegistrySettings } from '../../src/registry/registry.ts'
import { toErrorRecord, OciUnpackError } from '../../src/errors.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { AUTH, auths, BASIC, PASSWORD, TOKEN, WRITTEN } from './auth-files.ts'

let work: string
let env: NodeJS.ProcessEnv
beforeEach(() => {
  work = makeTemporary()
  env = { HOME: `${work}/home`, XDG_RUNTIME_DIR: `${work}/run`, PATH: `${work}/bin:/usr/bin:/bin` }
})
afterEach(() => removeTemporary(work))

function write(name: string, content: string): string {
  const path = join(work, name)
  fs.mkdirSync(dirname(path), { recursive: true })
  fs.writeFileSync(path, content)
  return path
}

/** A program that keeps credentials, as a shell script that has the server in $server. */
function helper(name: string, script: string): void {
  const path = write(
    `bin/docker-credential-${name}`,
    `#!/bin/sh\n[ "$#:$1" = 1:get ] || exit 9\nread -r server\n${script}\n`
  )
  fs.chmodSync(path, 0o755)
}

function find(
  image: string,
  settings: RegistrySettings = {},
  signal?: AbortSignal
): Promise<object | undefined> {
  return findCredentials(parseReference(image), settings, { env, signal })
}

describe('a file as it is written by', () => {
  test.each(WRITTEN)('$name', async ({ content, has, not = [], found = BASIC }) => {
    write('run/containers/auth.json', content)
    for (const image of has) expect([image, await find(image)]).toEqual([image, found])
    for (const image of not) expect([image, await find(image)]).toEqual([image, undefined])
  })

  test('docker before version 1.7', async () => {
    const auth = { auth: AUTH, email: 'me@example.com' }
    const keys = ['https://index.docker.io/v1/', 'registry.example.com', 'http://h.io/v2/x']
    write('home/.dockercfg', JSON.stringify(Object.fromEntries(keys.map((key) => [key, auth]))))
    for (const image of ['debian', 'registry.example.com/a/b', 'h.io/app'])
      expect([image, await find(image)]).toEqual([image, BASIC])
    expect(await find('quay.io/a')).toBeUndefined()
  })
})

describe('the order', () => {
  const entry = (username: string): string =>
    auths({ 'h.io': { auth: Buffer.from(`${username}:x`).toString('base64') } })
  const PLACES = [
    'run/containers/auth.json',
    'home/.config/containers/auth.json',
    'home/.docker/config.json',
    'home/.dockercfg'
  ]
  const user = async (settings?: RegistrySettings): Promise<unknown> =>
    ((await find('h.io/app', settings)) as { username?: string } | undefined)?.username

  test('of files is that of containers-auth.json(5)', async () => {
    for (const place of PLACES)
      write(place, place.endsWith('cfg') ? entry(place).slice(9, -1) : entry(place))
    for (const place of PLACES) {
      expect(await user()).toBe(place)
      fs.rmSync(join(work, place))
    }
    expect(await user()).toBeUndefined()
  })

  test('begins with what was given', async () => {
    for (const place of PLACES.slice(0, 3)) write(place, entry(place))
    env.REGISTRY_AUTH_FILE = write('variable', entry('variable'))
    const authfile = write('authfile', entry('authfile'))
    const credentials = { username: 'given', password: '' }
    expect(await user({ authfile, credentials })).toBe('given')
    expect(await user({ authfile })).toBe('authfile')
    expect(await user()).toBe('variable')
    env.REGISTRY_AUTH_FILE = write('empty', '')
    expect(await user()).toBe(PLACES[1])
    env.REGISTRY_AUTH_FILE = ''
    expect(await user()).toBe(PLACES[0])
  })

  test('has the variable of GitLab CI before the files of docker', async () => {
    env.DOCKER_AUTH_CONFIG = ` ${entry('variable')}`
    for (const place of PLACES.slice(0, 3)) write(place, entry(place))
    for (const place of PLACES.slice(0, 2)) {
      expect(await user()).toBe(place)
      fs.rmSync(join(work, place))
    }
    expect(await user()).toBe('variable')
    expect(await user({ authfile: write('authfile', entry('authfile')) })).toBe('authfile')
    // what is not in it is looked for elsewhere, and the path of a file is not for us
    for (const other of ['{}', auths({ 'other.io': { auth: AUTH } }), '', '/run/config.json']) {
      env.DOCKER_AUTH_CONFIG = other
      expect(await user()).toBe(PLACES[2])
    }
    helper('host', `echo '{"ServerURL":"","Username":"host","Secret":"x"}'`)
    env.DOCKER_AUTH_CONFIG = JSON.stringify({ credHelpers: { 'h.io': 'host' } })
    expect(await user()).toBe('host')
  })

  test('heeds the variables of the directories', async () => {
    write('home/.docker/config.json', entry('home'))
    write('docker/config.json', entry('docker'))
    env.DOCKER_CONFIG = `${work}/docker`
    expect(await user()).toBe('docker')
    write('xdg/containers/auth.json', entry('xdg'))
    env.XDG_CONFIG_HOME = `${work}/xdg`
    expect(await user()).toBe('xdg')
    env.XDG_CONFIG_HOME = 'relative'
    expect(await user()).toBe('docker')
  })

  test('of keys goes from the repository to the host', async () => {
    const one = (username: string): object => ({ username, password: 'x' })
    const keys = ['https://h.io/', 'h.io', 'h.io/a', 'h.io/a/b']
    write('run/containers/auth.json', auths(Object.fromEntries(keys.map((key) => [key, one(key)]))))
    const users = await Promise.all(['h.io/a/b', 'h.io/a/c', 'h.io/ab'].map((name) => find(name)))
    expect(users).toEqual([one('h.io/a/b'), one('h.io/a'), one('h.io')])
  })

  test('of one file: a program for the host, entries, the program for all others', async () => {
    const say = (user: string): string =>
      `echo '{"ServerURL":"","Username":"${user}","Secret":"x"}'`
    helper('host', say('host'))
    helper('all', say('all'))
    const file = (more: object): void => {
      write('run/containers/auth.json', auths({ 'h.io': { auth: AUTH } }, more))
    }
    file({ credHelpers: { 'h.io': 'host' }, credsStore: 'all' })
    expect(await user()).toBe('host')
    file({ credHelpers: { 'other.io': 'host' }, credsStore: 'all' })
    expect(await user()).toBe(BASIC.username)
    write('run/containers/auth.json', auths({ 'h.io': {} }, { credsStore: 'all' }))
    expect(await user()).toBe('all')
  })
})

test('files that are not there, not readable or not files are skipped', async () => {
  fs.mkdirSync(`${work}/run/containers/auth.json`, { recursive: true })
  write('home/.config/containers', 'a file in place of the directory')
  fs.mkdirSync(`${work}/home/.docker`)
  execFileSync('mkfifo', [`${work}/home/.docker/config.json`])
  fs.symlinkSync('.dockercfg', `${work}/home/.dockercfg`)
  expect(await find('debian')).toBeUndefined()
  expect(await findCredentials(parseReference('debian'), {}, { env: { HOME: '' } })).toBeUndefined()
})

describe('a program', () => {
  const use = (name: string): void => {
    write('run/containers/auth.json', JSON.stringify({ credHelpers: { 'h.io': name } }))
  }

  test('gets the server on its input, and the environment', async () => {
    helper('echo', 'echo "{\\"Username\\":\\"$server $MORE\\",\\"Secret\\":\\"x\\"}"')
    env.MORE = 'more'
    use('echo')
    expect(await find('h.io/app')).toEqual({ username: 'h.io more', password: 'x' })
    write('run/containers/auth.json', JSON.stringify({ credsStore: 'echo' }))
    const hub = { username: 'https://index.docker.io/v1/ more', password: 'x' }
    expect(await find('debian')).toEqual(hub)
  })

  test('may know Docker Hub by its other name', async () => {
    helper(
      'hub',
      `[ $server = docker.io ] && echo '{"Username":"me","Secret":"x"}' && exit
echo credentials not found in native keychain; exit 1`
    )
    for (const key of ['docker.io', 'https://index.docker.io/v1/', 'index.docker.io']) {
      write('run/containers/auth.json', JSON.stringify({ credHelpers: { [key]: 'hub' } }))
      expect(await find('debian')).toEqual({ username: 'me', password: 'x' })
    }
  })

  test.each([
    [
      'has an identity token',
      `echo '{"Username":"<token>","Secret":"${TOKEN}"}'`,
      { identityToken: TOKEN }
    ],
    ['has nothing', 'echo "credentials not found in native keychain"; exit 1', undefined],
    ['has nothing, in other words', `echo '{"ServerURL":"","Username":"","Secret":""}'`, undefined],
    [
      'talks on stderr',
      `echo x >&2; echo '{"Username":"me","Secret":"x"}'`,
      { username: 'me', password: 'x' }
    ]
  ])('%s', async (_name, script, found) => {
    helper('some', script)
    use('some')
    expect(await find('h.io/app')).toEqual(found)
  })

  test('is not started by a shell', async () => {
    const hint = (name: string): string =>
      `Write ${name} for the program docker-credential-${name}, whose directory must be in PATH.`
    for (const [name, meant] of [
      ['../x', 'x'],
      ['a b', 'NAME'],
      ['x;touch y', 'NAME'],
      ['$(x)', 'NAME'],
      ['', 'NAME'],
      ['/bin/', 'NAME'],
      ['/bin/x', 'x'],
      ['/opt/bin/docker-credential-pass', 'pass']
    ] as const) {
      use(name)
      const error = await failureOf(find('h.io/app'))
      expect(error).toMatchObject({
        code: 'CREDENTIAL_HELPER_FAILED',
        facts: { reason: 'the name of the program is not one in PATH' },
        hint: hint(meant)
      })
    }
  })

  test.each([
    ['pass', 'Install docker-credential-pass, or add its directory to PATH.'],
    ['docker-credential-pass', 'Write pass for the program docker-credential-pass.']
  ])('that is not there under the name %s has a hint that can be followed', async (name, hint) => {
    use(name)
    env.PATH = `${work}/bin`
    const error = await failureOf(find('h.io/app'))
    expect(error).toMatchObject({ facts: { reason: 'it is not in PATH' }, hint })
  })

  test('that is not there matters only if it is for this host', async () => {
    write('run/containers/auth.json', JSON.stringify({ credsStore: 'desktop' }))
    expect(await find('h.io/app')).toBeUndefined()
    use('desktop')
    expect((await failureOf(find('h.io/app'))).facts.reason).toBe('it is not in PATH')
  })

  test('that hangs is stopped', async () => {
    helper('slow', 'exec sleep 60')
    const call = {
      name: 'slow',
      server: 'h.io',
      origin: { file: 'f' },
      env,
      signal: undefined,
      patience: 50
    }
    expect((await failureOf(askHelper(call))).facts.reason).toBe('it took too long')
    use('slow')
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 50)
    expect((await failureOf(find('h.io/app', {}, stop.signal))).code).toBe('ABORTED')
    expect((await failureOf(find('h.io/app', {}, stop.signal))).code).toBe('ABORTED')
  })
})

describe('no secret is in the error', () => {
  const SECRETS = [PASSWORD, AUTH, TOKEN, 'hunter2']
  const entry = (value: unknown, more: object = {}): string =>
    JSON.stringify({ auths: { 'h.io': value }, ...more })

  test.each<[string, string, string]>([
    ['JSON that ends too early', entry({ auth: AUTH }).slice(0, -3), 'it is not JSON'],
    ['text', PASSWORD, 'it is not JSON'],
    ['the JSON of a text', JSON.stringify(PASSWORD), 'it is not a JSON object'],
    ['a list', JSON.stringify([AUTH]), 'it is not a JSON object'],
    ['a list of entries', JSON.stringify({ auths: [AUTH] }), 'it is not a JSON object'],
    ['an entry that is text', entry(AUTH), 'it is not an object'],
    ['auth as it is', entry({ auth: PASSWORD }), 'auth is not base64'],
    [
      'auth without a user',
      entry({ auth: btoa(`:${PASSWORD}`) }),
      'auth is not USER:PASSWORD in base64'
    ],
    [
      'auth without a colon',
      entry({ auth: btoa('hunter2') }),
      'auth is not USER:PASSWORD in base64'
    ],
    [
      'a password that is not text',
      entry({ username: 'me', password: [PASSWORD] }),
      'password is not text'
    ],
    ['a token that is not text', entry({ identitytoken: { TOKEN } }), 'identitytoken is not text'],
    [
      'a program that is not a name',
      JSON.stringify({ credsStore: [PASSWORD] }),
      'it is not a name'
    ],
    [
      'a program for a host that is none',
      JSON.stringify({ credHelpers: { 'h.io': [PASSWORD] } }),
      'it is not a name'
    ],
    ['too much', `{"auths":"${AUTH}${' '.repeat(1 << 20)}"}`, 'it is longer than 1048576 bytes']
  ])('%s', async (_name, content, reason) => {
    const file = write('file', content)
    const error = await failureOf(find('h.io/app', { authfile: file }))
    expect(error).toMatchObject({ code: 'CREDENTIALS_INVALID', facts: { file, reason } })
    expectNoSecret(error)
  })

  test.each([
    ['fails', `echo "no: ${PASSWORD}"; echo ${TOKEN} >&2; exit 3`, 'it ended with 3'],
    ['is killed', `echo ${PASSWORD}; kill -9 $$`, 'a signal ended it'],
    [
      'prints what is not JSON',
      `echo ${PASSWORD}`,
      'its answer is not JSON with Username and Secret'
    ],
    [
      'prints other JSON',
      `echo '{"Secret":"${PASSWORD}"}'`,
      'its answer is not JSON with Username and Secret'
    ],
    ['prints too much', `yes ${PASSWORD}`, 'it printed too much']
  ])('of a program that %s', async (_name, script, reason) => {
    helper('bad', script)
    write('run/containers/auth.json', JSON.stringify({ credsStore: 'bad' }))
    const error = await failureOf(find('h.io/app'))
    expect(error).toMatchObject({
      code: 'CREDENTIAL_HELPER_FAILED',
      facts: { call: 'docker-credential-bad get', reason },
      hint: 'To see what it says, run: echo h.io | docker-credential-bad get'
    })
    expectNoSecret(error)
  })

  test.each([
    [`{"auths":{"h.io":{"auth":"${AUTH}`, { reason: 'it is not JSON' }],
    [
      JSON.stringify({ auths: { 'h.io': { auth: PASSWORD } } }),
      { pointer: '/auths/h.io', reason: 'auth is not base64' }
    ],
    [JSON.stringify({ credsStore: [PASSWORD] }), { pointer: '/credsStore' }]
  ])('of a variable', async (content, facts) => {
    env.DOCKER_AUTH_CONFIG = content
    const error = await failureOf(find('h.io/app'))
    expect(error).toMatchObject({
      code: 'CREDENTIALS_INVALID',
      facts: { variable: 'DOCKER_AUTH_CONFIG', ...facts }
    })
    expectNoSecret(error)
  })

  test.each([
    ['is missing', (path: string) => fs.rmSync(path), 'it does not exist'],
    [
      'is a FIFO',
      (path: string) => {
        fs.rmSync(path)
        execFileSync('mkfifo', [path])
      },
      'it is not a regular file'
    ],
    [
      'is a directory',
      (path: string) => {
        fs.rmSync(path)
        fs.mkdirSync(path)
      },
      'it is not a regular file'
    ],
    [
      'is a loop',
      (path: string) => {
        fs.rmSync(path)
        fs.symlinkSync(path, path)
      },
      'its symbolic links form a loop'
    ]
  ])('of a file that was named and %s', async (_name, spoil, reason) => {
    const file = write('named', entry({ auth: AUTH }))
    spoil(file)
    const named = [find('h.io/app', { authfile: file })]
    env.REGISTRY_AUTH_FILE = file
    for (const each of [...named, find('h.io/app')])
      expect(await failureOf(each)).toMatchObject({
        code: 'CREDENTIALS_INVALID',
        facts: { file, reason }
      })
  })

  function expectNoSecret(error: OciUnpackError): void {
    const all = JSON.stringify([toErrorRecord(error), error.hint, error.stack])
    for (const secret of SECRETS) expect(all).not.toContain(secret)
  }
})

async function failureOf(work: Promise<unknown>): Promise<OciUnpackError> {
  try {
    await work
  } catch (error) {
    if (error instanceof OciUnpackError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
