/** Bundles of an ordinary user run in a runtime that the same user starts. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildImage } from '../support/image-builder.ts'
import { install } from '../support/install.ts'
import { makeUser, removeUser, USER_TOOLS, type OrdinaryUser } from '../support/ordinary-user.ts'
import { needs } from '../support/requires.ts'
import { expectOk, ok, type Run } from '../support/run.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackCommand } from './cli.ts'

/** Shows ids, owners and modes as the container sees them, and writes a file. */
const SCRIPT = `id; stat -c '%u:%g %a %F %n' /root /home/app /dev/null; echo x >/root/new; echo written`

const RUNTIMES: Readonly<Record<string, readonly string[]>> = {
  runc: ['runc', '--root', 'state', 'run'],
  crun: ['crun', '--root', 'state', '--cgroup-manager', 'disabled', 'run']
}

describe.runIf(needs(...USER_TOOLS, 'runc', 'crun', 'umoci', 'ldd'))('a bundle of a user', () => {
  let user: OrdinaryUser
  let image = ''
  beforeAll(() => {
    user = makeUser()
    image = `${buildProgramsImage(`${user.home}/image`)}:latest`
    ok('chown', '-R', `${user.uid}:${user.gid}`, user.home)
    expectOk(user.run('umoci', 'unpack', '--rootless', '--image', image, 'by-umoci'), 'umoci')
    unpack('rootless', 'unpack', '--rootless')
    unpack('userns', '--userns', 'unpack')
  })
  afterAll(() => removeUser(user))

  test.each(Object.keys(RUNTIMES))('with --rootless is run by %s', (runtime) => {
    if (cannotRun(runtime)) return
    expect(start(runtime, 'rootless')).toMatchObject({
      status: 0,
      stdout: `uid=0 gid=0 groups=0
0:0 700 directory /root
0:0 750 directory /home/app
65534:65534 666 character special file /dev/null
written
`
    })
  })

  test.each(Object.keys(RUNTIMES))('with --userns is run by %s, with all its owners', (runtime) => {
    if (cannotRun(runtime)) return
    expect(start(runtime, 'userns')).toMatchObject({
      status: 0,
      stdout: `uid=0 gid=0 groups=0
0:0 700 directory /root
5:6 750 directory /home/app
65534:65534 666 character special file /dev/null
written
`
    })
  })

  function unpack(bundle: string, ...args: string[]): void {
    expectOk(user.run(...ociUnpackCommand, ...args, '--image', image, bundle), args.join(' '))
  }

  function start(runtime: string, bundle: string): Run {
    const config = `${user.home}/${bundle}/config.json`
    const text = readFileSync(config, 'utf8')
    writeFileSync(config, text.replace(/"terminal": ?true/, '"terminal":false'))
    const [program = '', ...args] = RUNTIMES[runtime]!
    return user.run(program, ...args, '--bundle', bundle, `${user.name}-${bundle}`)
  }

  /** Whether the machine does not let this runtime run umoci's bundle either. Says why. */
  function cannotRun(runtime: string): boolean {
    const { status, stderr } = start(runtime, 'by-umoci')
    if (status !== 0) console.warn(`${runtime} runs no rootless bundle on this machine: ${stderr}`)
    return status !== 0
  }
})

/** Some programs of the host, and a home directory of somebody else. */
function buildProgramsImage(layout: string): string {
  const work = makeTemporary()
  const tree = `${work}/tree`
  for (const name of ['proc', 'dev', 'sys', 'etc', 'home/app'])
    mkdirSync(`${tree}/${name}`, { recursive: true })
  mkdirSync(`${tree}/root`, { mode: 0o700 })
  writeFileSync(`${tree}/etc/resolv.conf`, '')
  for (const program of ['/bin/sh', '/usr/bin/id', '/usr/bin/stat']) install(tree, program)
  ok(
    'sh',
    '-euc',
    'cd "$0"; mknod -m 666 dev/null c 1 3; chmod 750 home/app; chown 5:6 home/app',
    tree
  )
  ok('tar', '-cf', `${work}/layer.tar`, '-C', tree, '.')
  buildImage(layout, {
    layers: [readFileSync(`${work}/layer.tar`)],
    config: { config: { Cmd: ['/bin/sh', '-c', SCRIPT] } }
  })
  removeTemporary(work)
  return layout
}
