/** From a hooks.toml to what would run, and what is wrong with one. */
import { chmodSync, chownSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkHooks, loadHooks } from '../../src/hooks/load.ts'
import { standardPlaces } from '../../src/hooks/lookup.ts'
import { ALL_POINTS } from '../../src/hooks/points.ts'
import { failure } from '../support/failure.ts'
import { needs } from '../support/requires.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { hooksToml, writeToml } from './support.ts'

let directory: string

beforeEach(() => {
  directory = makeTemporary()
})

afterEach(() => removeTemporary(directory))

function check(text: string): ReturnType<typeof checkHooks> {
  return checkHooks({ file: writeToml(directory, text), env: { PATH: '/usr/bin:/bin' } })
}

function complaint(text: string): ReturnType<typeof failure> {
  return failure(() => check(text))
}

describe('a hooks.toml', () => {
  test('says what would run, with defaults filled in', () => {
    writeFileSync(join(directory, 'hook'), '#!/bin/sh\n', { mode: 0o755 })
    const definition = check(`
version = 1
[env]
STORE = "/srv"
[repack.ociv1.layer.delta-list]
command = ["./hook", "delta-list", "$HOME"]
timeout = "1500ms"
mode = "session"
fallback = "mtree"
[unpack.ociv1.prepare]
command = ["true"]
timeout = "2m"
[store.gc]
command = ["/bin/sh"]
`)
    expect(definition).toEqual({
      file: join(directory, 'hooks.toml'),
      directory,
      env: { STORE: '/srv' },
      settings: {
        name: directory.split('/').at(-1),
        extract: 'rootfs',
        whiteouts: undefined,
        manifest: 'auto',
        precision: 'nanoseconds',
        rootless: false,
        xattrs: undefined,
        deltaFallback: 'mtree'
      },
      hooks: [
        {
          point: 'prepare',
          name: 'unpack.ociv1.prepare',
          command: ['/usr/bin/true'],
          timeout: 120_000,
          mode: 'exec'
        },
        {
          point: 'delta-list',
          name: 'repack.ociv1.layer.delta-list',
          command: [join(directory, 'hook'), 'delta-list', '$HOME'],
          timeout: 1_500,
          mode: 'session'
        },
        {
          point: 'gc',
          name: 'store.gc',
          command: ['/bin/sh'],
          timeout: 60_000,
          mode: 'exec'
        }
      ]
    })
  })

  test('may have every point', () => {
    const definition = check(hooksToml(['true'], 'mode = "session"', ALL_POINTS, 'image'))
    expect(definition?.hooks.map(({ point }) => point)).toEqual(ALL_POINTS)
    expect(definition?.settings).toMatchObject({ extract: 'image', whiteouts: undefined })
  })

  test('has a place for what joins layers only where they are images', () => {
    const layers = ALL_POINTS.filter((point) => point !== 'merge')
    const settings = check(hooksToml(['true'], '', layers))?.settings
    expect(settings).toMatchObject({ extract: 'layer', whiteouts: 'overlay' })
    expect(complaint(hooksToml(['true'], '', ALL_POINTS))?.facts.reason).toBe(
      'unpack.ociv1.merge needs extract = "image"'
    )
    expect(complaint(hooksToml(['true'], '', layers, 'image'))?.facts.reason).toBe(
      'extract = "image" also needs unpack.ociv1.merge'
    )
  })

  test('looks for programs in the PATH of its own [env] first', () => {
    writeFileSync(join(directory, 'true'), '#!/bin/sh\n', { mode: 0o755 })
    const text = `version = 1\n[env]\nPATH = "${directory}"\n[store.gc]\ncommand = ["true"]\n`
    expect(check(text)?.hooks[0]?.command).toEqual([join(directory, 'true')])
  })

  test.each([
    ['', undefined, '"version" is missing', undefined],
    ['version = 2', 1, '"version" must be 1, found 2', undefined],
    ['version = 1\nnaem = "x"', 2, '"naem" is unknown', 'Did you mean "name"?'],
    ['version = 1\n\nextract = "layers"', 3, '"extract" must be', 'Did you mean "layer"?'],
    [
      'version = 1\n[unpack.ociv1.layer.tryskip]\ncommand = ["true"]',
      2,
      '"unpack.ociv1.layer.tryskip" is unknown',
      'Did you mean "unpack.ociv1.layer.try-skip"?'
    ],
    [
      'version = 1\n[unpack.ociv1.try-skip]\ncommand = ["true"]',
      2,
      '"unpack.ociv1.try-skip" is unknown',
      'Did you mean "unpack.ociv1.layer.try-skip"?'
    ],
    [
      'version = 1\n[store.gc]\ncomand = ["true"]',
      3,
      '"store.gc.comand" is unknown',
      'Did you mean "store.gc.command"?'
    ],
    ['version = 1\n\n[store.gc]\ntimeout = "1s"', 3, '"store.gc.command" is missing', undefined],
    [
      'version = 1\n[store.gc]\ncommand = ["true"]\ntimeuot = "1s"',
      4,
      '"store.gc.timeuot" is unknown',
      'Did you mean "store.gc.timeout"?'
    ],
    [
      'version = 1\n[store.gc]\ncommand = ["true"]\nfallback = "mtree"',
      4,
      'only delta-list has a fallback',
      undefined
    ],
    ['version = 1\n[store.gc]\ncommand = "true"', 3, '"store.gc.command" must be', undefined],
    ['version = 1\n[store.gc]\ncommand = []', 3, '"store.gc.command" must be', undefined],
    [
      'version = 1\n[store.gc]\ncommand = ["true",\n 7]',
      3,
      '"store.gc.command.1" must be',
      undefined
    ],
    [
      'version = 1\n[store.gc]\ncommand = ["true"]\ntimeout = "1 s"',
      4,
      'a time such as',
      undefined
    ],
    ['version = 1\n[store.gc]\ncommand = ["true"]\ntimeout = "0s"', 4, 'a time', undefined],
    ['version = 1\n[env]\nOCI_UNPACK_X = "1"', 3, '[env] must be', undefined],
    ['version = 1\n[env]\n"A=B" = "1"', 3, '[env] must be', undefined],
    ['version = 1\n[env]\nA = 1', 3, '"env.A" must be a string', undefined],
    ['version = 1\nname = \n', 2, '', undefined],
    ['version = 1\nwhiteouts = "overlay"', 2, 'extract = "layer"', undefined],
    ['version = 1\nextract = "image"\nrootless = true', 3, 'only root can mount', undefined],
    [
      'version = 1\nextract = "chain"\n[unpack.ociv1.finish]\ncommand = ["true"]',
      2,
      'also needs unpack.ociv1.layer.try-skip, unpack.ociv1.layer.pre-extract, unpack.ociv1.layer.post-extract',
      undefined
    ],
    ['version = 1\n[store.gc]\ncommand = ["./nothing"]', 3, 'no executable /', undefined],
    ['version = 1\n[store.gc]\ncommand = ["./hooks.toml"]', 3, 'no executable', undefined],
    ['version = 1\n[store.gc]\ncommand = ["no-such"]', 3, '"no-such" in PATH', undefined],
    ['version = 1\n[store.gc]\ncommand = [""]', 3, 'no executable', undefined]
  ])('%j is refused in line %s: %s', (text, line, reason, hint) => {
    const error = complaint(text)
    expect(error).toMatchObject({ code: 'HOOKS_INVALID', hint })
    expect(error?.facts.file).toBe(join(directory, 'hooks.toml'))
    expect(error?.facts.line).toBe(line)
    expect(error?.facts.reason).toContain(reason)
  })
})

describe('the file that counts', () => {
  const minimal = (name: string): string => `version = 1\nname = "${name}"\n`

  function place(path: string, name: string): string {
    const file = join(directory, path)
    mkdirSync(dirname(file), { recursive: true, mode: 0o755 })
    writeFileSync(file, minimal(name), { mode: 0o644 })
    return file
  }

  test('is the one named, then that of the environment, then the user’s', () => {
    const named = place('named.toml', 'named')
    const environment = place('environment.toml', 'environment')
    place('xdg/oci-unpack/hooks.toml', 'xdg')
    place('home/.config/oci-unpack/hooks.toml', 'home')
    const home = { HOME: join(directory, 'home') }
    const xdg = { ...home, XDG_CONFIG_HOME: join(directory, 'xdg') }
    const asked = { ...xdg, OCI_UNPACK_HOOKS: environment }
    const nameOf = (env: NodeJS.ProcessEnv, file?: string) => loadHooks({ file, env })?.name
    expect(nameOf(asked, named)).toBe('named')
    expect(nameOf(asked)).toBe('environment')
    expect(nameOf({ ...xdg, OCI_UNPACK_HOOKS: '' })).toBe('xdg')
    expect(nameOf(home)).toBe('home')
    expect(nameOf({ ...home, XDG_CONFIG_HOME: 'xdg' })).toBe('home')
  })

  test('is that of the system in the end, or none', () => {
    const env = { HOME: directory }
    expect(standardPlaces(env)).toEqual([
      join(directory, '.config/oci-unpack/hooks.toml'),
      '/etc/oci-unpack/hooks.toml'
    ])
  })

  test.runIf(needs('root'))(
    'is not that of another user, whose directory HOME or XDG_CONFIG_HOME names',
    () => {
      place('home/.config/oci-unpack/hooks.toml', 'home')
      const home = join(directory, 'home')
      chownSync(home, 5, 5)
      const system = ['/etc/oci-unpack/hooks.toml']
      expect(standardPlaces({ HOME: home })).toEqual(system)
      expect(standardPlaces({ XDG_CONFIG_HOME: home })).toEqual(system)
    }
  )

  test.each([
    ['named', {}],
    ['', { OCI_UNPACK_HOOKS: '/nonexistent/hooks.toml' }]
  ])('must exist where it was asked for', (name, env) => {
    const file = name === '' ? undefined : join(directory, name)
    expect(failure(() => loadHooks({ file, env }))?.code).toBe('HOOKS_INVALID')
  })

  test('may be a link of the operator; commands are relative to where it leads', () => {
    const file = place('real/hooks.toml', 'real')
    writeFileSync(file, '\n[store.gc]\ncommand = ["./hook"]\n', { flag: 'a' })
    writeFileSync(join(directory, 'real/hook'), '#!/bin/sh\n', { mode: 0o755 })
    symlinkSync('real/hooks.toml', join(directory, 'link.toml'))
    const definition = checkHooks({ file: join(directory, 'link.toml') })
    expect(definition?.hooks[0]?.command).toEqual([join(directory, 'real/hook')])
  })

  test.each([0o620, 0o602, 0o666])('is refused with mode %o', (mode) => {
    const file = place('hooks.toml', 'x')
    chmodSync(file, mode)
    expect(failure(() => loadHooks({ file }))?.code).toBe('HOOKS_UNSAFE')
  })

  test('is refused in a directory that all may write to, unless it is sticky', () => {
    const file = place('open/hooks.toml', 'x')
    chmodSync(dirname(file), 0o777)
    expect(failure(() => loadHooks({ file }))?.code).toBe('HOOKS_UNSAFE')
    chmodSync(dirname(file), 0o1777)
    expect(loadHooks({ file })?.name).toBe('x')
  })

  test.runIf(needs('root'))('is refused when it is somebody else’s, also behind a link', () => {
    const file = place('hooks.toml', 'x')
    symlinkSync(file, join(directory, 'link.toml'))
    chownSync(file, 1234, 0)
    const error = failure(() => loadHooks({ file: join(directory, 'link.toml') }))
    expect(error).toMatchObject({ code: 'HOOKS_UNSAFE', facts: { path: file } })
    expect(error?.facts.reason).toContain('uid 1234')
  })

  test.each([
    ['that all may write to', 0o757, 0],
    ['that its group may write to', 0o775, 0],
    ['of somebody else', 0o755, 1234]
  ])('is refused anywhere below a directory %s', (_whose, mode, uid) => {
    if (uid !== 0 && !needs('root')) return
    const file = place('above/between/hooks.toml', 'x')
    const above = join(directory, 'above')
    expect(loadHooks({ file })?.name).toBe('x')
    chmodSync(above, mode)
    if (uid !== 0) chownSync(above, uid, uid)
    const error = failure(() => loadHooks({ file }))
    expect(error).toMatchObject({ code: 'HOOKS_UNSAFE', facts: { path: above } })
    expect(error?.hint).toContain(above)
  })

  test('is refused where a link on the way leads through a directory that others may write to', () => {
    place('real/hooks.toml', 'x')
    mkdirSync(join(directory, 'open'))
    symlinkSync('../real', join(directory, 'open/link'))
    symlinkSync('open/link', join(directory, 'way'))
    const file = join(directory, 'way/hooks.toml')
    expect(loadHooks({ file })?.name).toBe('x')
    chmodSync(join(directory, 'open'), 0o777)
    expect(failure(() => loadHooks({ file }))).toMatchObject({
      code: 'HOOKS_UNSAFE',
      facts: { path: join(directory, 'open') }
    })
  })

  test.runIf(needs('root'))(
    'is refused behind a link of somebody else in a sticky directory',
    () => {
      const file = place('real/hooks.toml', 'x')
      mkdirSync(join(directory, 'shared'))
      chmodSync(join(directory, 'shared'), 0o1777)
      const link = join(directory, 'shared/link.toml')
      symlinkSync(file, link)
      expect(loadHooks({ file: link })?.name).toBe('x')
      lchownSync(link, 1234, 1234)
      expect(failure(() => loadHooks({ file: link }))).toMatchObject({
        code: 'HOOKS_UNSAFE',
        facts: { path: link }
      })
    }
  )

  test('is a regular file of UTF-8 and of reasonable size', () => {
    const reasonOf = (file: string) => failure(() => loadHooks({ file }))?.facts.reason
    expect(reasonOf(directory)).toContain('not a regular file')
    const file = place('hooks.toml', 'x')
    writeFileSync(file, 'version = 1 # \xff', 'latin1')
    expect(reasonOf(file)).toContain('UTF-8')
    writeFileSync(file, '#'.repeat(70_000))
    expect(reasonOf(file)).toContain('longer')
  })
})

describe('a program that a hooks.toml names', () => {
  /** In a directory of its own, with the file elsewhere. */
  function place(command = './programs/hook'): { file: string; hook: string } {
    const hook = join(directory, 'programs/hook')
    mkdirSync(dirname(hook))
    writeFileSync(hook, '#!/bin/sh\n', { mode: 0o755 })
    const text = `version = 1\n[env]\nPATH = "${dirname(hook)}"\n[store.gc]\ncommand = ["${command}"]\n`
    return { file: writeToml(directory, text), hook }
  }

  test.each(['./programs/hook', 'hook'])('as %s is refused when all may write to it', (command) => {
    const { file, hook } = place(command)
    expect(checkHooks({ file })?.hooks[0]?.command).toEqual([hook])
    chmodSync(hook, 0o777)
    const error = failure(() => checkHooks({ file }))
    expect(error).toMatchObject({ code: 'HOOKS_UNSAFE', facts: { file, path: hook } })
    expect(error?.hint).toContain(`chmod go-w ${hook}`)
  })

  test.runIf(needs('root'))('is refused when it belongs to somebody else', () => {
    const { file, hook } = place()
    chownSync(hook, 1234, 1234)
    const error = failure(() => checkHooks({ file }))
    expect(error).toMatchObject({ code: 'HOOKS_UNSAFE', facts: { file, path: hook } })
    expect(error?.facts.reason).toContain('uid 1234')
  })

  test('is refused in a directory that all may write to', () => {
    const { file, hook } = place()
    chmodSync(dirname(hook), 0o777)
    expect(failure(() => checkHooks({ file }))).toMatchObject({
      code: 'HOOKS_UNSAFE',
      facts: { file, path: dirname(hook) }
    })
  })
})
