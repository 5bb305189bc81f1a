import * as fs from 'node:fs'
import type { RuntimeSpec } from '../../src/bundle/runtime-spec.ts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { buildImage } from '../support/image-builder.ts'
import { asOldUmoci } from '../support/old-umoci.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { directory, file, symlink, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackCommand, ociUnpackOk } from './cli.ts'

const LAYER = tar(
  directory('etc/'),
  directory('usr/'),
  file('usr/passwd', 'app:x:5:6::/home/app:\n'),
  symlink('etc/passwd', '/usr/passwd'),
  file('etc/group', 'staff:x:7:app\n')
)

let work: string
let image: string
let output: string
beforeEach(() => {
  work = makeTemporary()
  image = build({ User: 'app', Entrypoint: ['/bin/app'], Env: ['A=1'], Volumes: { '/v': {} } })
  output = `${work}/config.json`
})
afterEach(() => removeTemporary(work))

function build(config: object): string {
  fs.rmSync(`${work}/layout`, { recursive: true, force: true })
  return buildImage(`${work}/layout`, { layers: [LAYER], config: { config } }).reference
}

interface Spec {
  root: { path: string }
  process: { user: object; env: string[] }
}

function read(): Spec {
  return JSON.parse(fs.readFileSync(output, 'utf8')) as Spec
}

function leftovers(): string[] {
  return fs.readdirSync(work).filter((name) => name.startsWith('.'))
}

describe('raw runtime-config', () => {
  test.runIf(needs('root'))('writes what unpack puts into the bundle', () => {
    const maps = ['--uid-map=0:1000:10', '--gid-map=0:2000:10']
    for (const flags of [[], maps]) {
      const bundle = `${work}/bundle-${flags.length}`
      ociUnpackOk('unpack', ...flags, '--image', image, bundle)
      const args = ['--image', image, '--rootfs', `${bundle}/rootfs/`, output]
      ociUnpackOk('raw', 'runtime-config', ...flags, ...args)
      expect(fs.readFileSync(output)).toEqual(fs.readFileSync(`${bundle}/config.json`))
    }
    expect(read().process.user).toEqual({ uid: 5, gid: 6, additionalGids: [7] })
  })

  test('warns where nobody can know the user, and is told by its other name', () => {
    const { stderr } = ociUnpackOk('raw', 'config', '--image', image, output)
    expect(stderr).toMatch(/^warn: .*found: app/)
    expect(read()).toMatchObject({ root: { path: '.' }, process: { user: { uid: 0, gid: 0 } } })
  })

  test('needs no root file system for ids, and an empty one is none', () => {
    image = build({ User: '5:6' })
    const args = ['--rootfs=', '--image', image, output]
    expect(ociUnpackOk('raw', 'runtime-config', ...args).stderr).toBe('')
    expect(read()).toMatchObject({ root: { path: '.' }, process: { user: { uid: 5, gid: 6 } } })
  })

  test('does not look for users outside of the root file system', () => {
    const rootfs = `${work}/hostile`
    fs.mkdirSync(`${rootfs}/etc`, { recursive: true })
    fs.writeFileSync(`${work}/passwd`, 'app:x:66:66::/:\n')
    fs.symlinkSync('../../passwd', `${rootfs}/etc/passwd`)
    ok('mkfifo', `${rootfs}/etc/group`)
    expect(refused('--image', image, '--rootfs', rootfs)).toContain('USER_NOT_FOUND')
  })

  test('replaces a file as a whole, which keeps its mode, and leaves nothing beside it', () => {
    fs.writeFileSync(output, 'old', { mode: 0o600 })
    fs.linkSync(output, `${work}/old`)
    ociUnpackOk('raw', 'runtime-config', '--image', image, output)
    expect(fs.readFileSync(`${work}/old`, 'utf8')).toBe('old')
    expect(fs.statSync(output).mode & 0o777).toBe(0o600)
    expect(read().process.env).toContain('A=1')
    expect(leftovers()).toEqual([])
  })

  test('writes to what is no regular file', () => {
    const args = [...ociUnpackCommand, 'raw', 'config', '--image', image, '/dev/stdout']
    const { stdout } = ok('sh', '-c', '"$@" | cat', 'sh', ...args)
    expect((JSON.parse(stdout) as Spec).process.env).toContain('A=1')
    fs.symlinkSync('elsewhere.json', output)
    ociUnpackOk('raw', 'runtime-config', '--image', image, output)
    expect(fs.lstatSync(`${work}/elsewhere.json`).isFile()).toBe(true)
  })

  test.each<[string, object, string[], string]>([
    ['another os', { os: 'windows' }, [], 'CONFIG_UNSUPPORTED'],
    ['a bad variable', { config: { Env: ['A'] } }, [], 'CONFIG_UNSUPPORTED'],
    ['a root file system that is not there', {}, ['--rootfs=/nowhere'], 'SYSCALL_FAILED']
  ])('keeps the old file for %s', (_name, config, flags, code) => {
    fs.rmSync(`${work}/layout`, { recursive: true })
    const built = buildImage(`${work}/layout`, { layers: [LAYER], config: { ...config } })
    expect(refused('--image', built.reference, ...flags)).toContain(code)
  })

  test('says so where the file cannot be written', () => {
    const args = ['--image', image, `${work}/nowhere/config.json`]
    const { status, stderr } = ociUnpack('raw', 'runtime-config', ...args)
    expect(stderr).toContain('SYSCALL_FAILED')
    expect(status).toBe(1)
  })
})

describe.runIf(needs('root', 'umoci', 'setpriv', 'unshare', 'overlay'))(
  "raw runtime-config --rootless beside Debian's umoci",
  () => {
    const MAPS = ['--uid-map=0:1000:10', '--gid-map=0:2000:10']

    test.each<[string, string[], string[]]>([
      ['root', [], []],
      ['somebody', ['setpriv', '--reuid=1000', '--regid=1001', '--clear-groups'], []],
      ['root with a map of users alone', [], MAPS.slice(0, 1)],
      ['root with maps', [], MAPS]
    ])('writes what umoci writes for %s', (_name, asWhom, flags) => {
      fs.chownSync(work, asWhom.length > 0 ? 1000 : 0, 0)
      expectSame(flags, (args) => ok('env', ...asWhom, ...args))
    })

    test('names the flags of the mount with resolv.conf that a user namespace cannot clear', () => {
      const inNamespace = (args: readonly string[]): unknown =>
        ok('unshare', '-m', 'sh', '-ec', HOSTILE_MOUNT, work, ...args)
      const { mounts } = expectSame([], inNamespace)
      const flags = ['ro', 'nodev', 'noexec', 'nosuid', 'noatime', 'nodiratime']
      expect(mounts.at(-1)!.options).toEqual([...flags, 'rbind', 'ro'])
    })

    function expectSame(
      flags: readonly string[],
      start: (command: readonly string[]) => unknown
    ): RuntimeSpec {
      const files = ['theirs.json', 'ours.json'].map((name) => `${work}/${name}`)
      const args = ['raw', 'runtime-config', '--rootless', ...flags, '--image', image]
      const programs = [['umoci'], ociUnpackCommand]
      programs.forEach((program, index) => start([...program, ...args, files[index]!]))
      const [theirs, ours] = files.map((name) => fs.readFileSync(name, 'utf8'))
      const spec = JSON.parse(ours!) as RuntimeSpec
      const expected = asOldUmoci(spec, theirs!, { os: 'linux' })
      expect(inAnyOrder(JSON.parse(theirs!) as RuntimeSpec)).toEqual(inAnyOrder(expected))
      return spec
    }
  }
)

/** Binds over resolv.conf a file of a mount that allows little, and runs the arguments. */
const HOSTILE_MOUNT = `
  mount -t tmpfs -o nosuid,noexec,nodiratime none /mnt
  touch /mnt/resolv.conf
  mount --bind /mnt/resolv.conf /etc/resolv.conf
  mount -o remount,bind,nodev,noatime,nosuid,noexec,nodiratime /etc/resolv.conf
  mount -o remount,ro /mnt
  exec "$@"`

/** umoci walks over a map of flags, in another order each time. */
function inAnyOrder(spec: RuntimeSpec): RuntimeSpec {
  const mounts = spec.mounts.map((mount) => ({
    ...mount,
    ...(mount.options === undefined ? {} : { options: mount.options.toSorted() })
  }))
  return { ...spec, mounts }
}

/** What a refusal says, after which the file is as it was. */
function refused(...args: string[]): string {
  fs.writeFileSync(output, 'old')
  const { status, stderr } = ociUnpack('raw', 'runtime-config', ...args, output)
  expect(status).toBe(1)
  expect(fs.readFileSync(output, 'utf8')).toBe('old')
  expect(leftovers()).toEqual([])
  return stderr
}
