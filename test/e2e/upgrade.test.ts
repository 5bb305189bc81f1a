/** `bundle upgrade` as it is built: its output and flags, what a kill leaves, and with the set for overlayfs. */
import * as fs from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { shippedSet } from '../conformance/kit.ts'
import { contents, identities } from '../engine/upgrade/bundles.ts'
import { buildImage } from '../support/image-builder.ts'
import { mountNew, type Mounted } from '../support/loop.ts'
import { needs } from '../support/requires.ts'
import { run } from '../support/run.ts'
import { directory, file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { unpackFlags } from '../support/whoever.ts'
import { ociUnpack, ociUnpackOk } from './cli.ts'

const OLD = [directory('etc/'), file('etc/a', 'old'), file('etc/b', 'old'), directory('opt/')]
const NEW = [directory('etc/'), file('etc/a', 'old'), file('etc/b', 'new'), file('etc/c', 'new')]

function images(work: string): { one: string; two: string } {
  return {
    one: buildImage(`${work}/one`, { layers: [tar(...OLD)] }).reference,
    two: buildImage(`${work}/two`, { layers: [tar(...NEW)] }).reference
  }
}

function edit(rootfs: string): void {
  fs.writeFileSync(`${rootfs}/etc/a`, 'mine')
  fs.writeFileSync(`${rootfs}/etc/b`, 'mine')
  fs.writeFileSync(`${rootfs}/opt/new`, 'mine')
}

describe('bundle upgrade', () => {
  let work: string
  let upgrade: string[]
  beforeEach(() => {
    work = makeTemporary()
    const { one, two } = images(work)
    ociUnpackOk('unpack', '--no-hooks', ...unpackFlags, '--image', one, `${work}/old`)
    edit(`${work}/old/rootfs`)
    upgrade = ['bundle', 'upgrade', '--no-hooks', '--image', two]
  })
  afterEach(() => removeTemporary(work))

  test('prints a plan and makes nothing', () => {
    const args = [
      ...upgrade,
      '--dry-run',
      '--conflicts',
      'both:etc/**',
      `${work}/old`,
      `${work}/new`
    ]
    expect(ociUnpackOk(...args).stdout).toBe(
      'M etc/a\n' +
        'M opt (not in the new image; kept for what is in it)\n' +
        '+ opt/new\n' +
        'C etc/b (modified in the bundle, modified in the image): both: etc/b.orig\n'
    )
    const lines = ociUnpackOk(...args, '--json')
      .stdout.trimEnd()
      .split('\n')
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      { type: 'kept', path: 'etc/a', kind: 'modified', isGone: false },
      { type: 'kept', path: 'opt', kind: 'modified', isGone: true },
      { type: 'kept', path: 'opt/new', kind: 'added', isGone: false },
      {
        type: 'conflict',
        path: 'etc/b',
        local: 'modified',
        image: 'modified',
        resolution: 'both',
        original: 'etc/b.orig'
      }
    ])
    expect(fs.readdirSync(work).sort()).toEqual(['old', 'one', 'two'])
  })

  test('lists conflicts that no rule decides, says how to, and makes nothing', () => {
    const { status, stdout, stderr } = ociUnpack(...upgrade, `${work}/old`, `${work}/new`)
    expect(status).toBe(1)
    expect(stdout).toBe('C etc/b (modified in the bundle, modified in the image): no rule\n')
    expect(stderr).toContain('UPGRADE_CONFLICT')
    expect(stderr).toContain('--conflicts')
    expect(fs.existsSync(`${work}/new`)).toBe(false)
  })

  test('carries over what only selects, and reads the image as unpack does', () => {
    const limits = ['entries', 'unpacked-bytes', 'ratio', 'json-bytes', 'pax-bytes']
    const few = ociUnpack(...upgrade, '--max-entries=0', `${work}/old`, `${work}/new`)
    expect([few.status, few.stderr]).toEqual([1, expect.stringContaining('LIMIT_EXCEEDED')])
    ociUnpackOk(
      ...upgrade,
      ...[
        '--only=opt',
        '--jobs=1',
        '--decompressor=none',
        '--keep-dirlinks',
        '--max-path-bytes=99'
      ],
      ...[`--platform=linux/${process.arch === 'x64' ? 'amd64' : process.arch}`],
      ...limits.map((limit) => `--max-${limit}=100000`),
      ...[`${work}/old`, `${work}/new`]
    )
    expect(contents(`${work}/new/rootfs`)).toEqual([
      'etc/',
      'etc/a old',
      'etc/b new',
      'etc/c new',
      'opt/',
      'opt/new mine'
    ])
    const other = ociUnpack(...upgrade, '--platform=plan9/mips', `${work}/old`, `${work}/x`)
    expect([other.status, other.stderr]).toEqual([1, expect.stringContaining('PLATFORM')])
  })

  test.each(['merge', 'packed'])(
    'leaves no bundle when it is killed at %s, and works when it is run again',
    (moment) => {
      const before = identities(`${work}/old/rootfs`)
      const script =
        `import { upgradeBundle } from '${new URL('../../dist/index.js', import.meta.url).href}';` +
        `const [bundle, image, destination] = process.argv.slice(1);` +
        `const onEvent = ({ type }) => { if (type === '${moment}') process.kill(process.pid, 'SIGKILL') };` +
        `await upgradeBundle({ bundle, image, destination, conflicts: ['keep'], jobs: 0, onEvent })`
      const args = [`${work}/old`, `${work}/two:latest`, `${work}/new`]
      const { status } = run(process.execPath, '--input-type=module', '-e', script, ...args)
      expect(status).not.toBe(0)
      expect(fs.existsSync(`${work}/new`)).toBe(false)
      ociUnpackOk(...upgrade, '--conflicts=keep', `${work}/old`, `${work}/new`)
      expect(fs.readFileSync(`${work}/new/rootfs/etc/b`, 'utf8')).toBe('mine')
      expect(fs.readdirSync(work).sort()).toEqual(['new', 'old', 'one', 'two'])
      expect(identities(`${work}/old/rootfs`)).toEqual(before)
    }
  )

  test('has the hook told of both bundles, and undoes the new one if it fails', () => {
    const toml = `${work}/hooks.toml`
    const hook = (script: string): void =>
      fs.writeFileSync(
        toml,
        `version = 1\n[bundle.upgraded]\ncommand = ["sh", "-c", ${JSON.stringify(script)}]\n`
      )
    const args = [
      'bundle',
      'upgrade',
      '--hooks',
      toml,
      '--trace',
      `${work}/trace`,
      ...upgrade.slice(3)
    ]
    const rest = ['--conflicts=new', `${work}/old`, `${work}/new`]
    hook('exit 1')
    expect(ociUnpack(...args, ...rest).stderr).toContain('HOOK_FAILED')
    expect(fs.existsSync(`${work}/new`)).toBe(false)
    hook('cat "$OCI_UNPACK_OLD_ROOTFS/etc/b" "$OCI_UNPACK_ROOTFS/etc/b" >"$OCI_UNPACK_ROOTFS/told"')
    ociUnpackOk(...args, ...rest)
    expect(fs.readFileSync(`${work}/new/rootfs/told`, 'utf8')).toBe('minenew')
    const traced = fs.readFileSync(`${work}/trace`, 'utf8')
    expect(traced).toContain(`"oldBundle":"${work}/old"`)
  })
})

describe.runIf(needs('root', 'overlay', 'setfattr', 'findmnt'))(
  'with the set for overlayfs',
  () => {
    let disk: Mounted
    let hooks: string[]
    beforeAll(() => {
      disk = mountNew('tmpfs')
      hooks = ['--hooks', shippedSet('overlay', disk.path), '--trace', `${disk.path}/trace`]
    })
    afterAll(() => {
      for (const name of ['old', 'new', 'third'])
        ociUnpack('bundle', 'delete', ...hooks, `${disk.path}/${name}`)
      disk.release()
    })

    test('the old bundle is read by its list of changes, and the new one is a mount', () => {
      const { path } = disk
      const { one, two } = images(path)
      ociUnpackOk('unpack', ...hooks, '--image', one, `${path}/old`)
      edit(`${path}/old/rootfs`)
      fs.rmSync(`${path}/old/rootfs/etc/a`)
      const before = contents(`${path}/old/rootfs`)
      const conflicts = ['--conflicts', 'both']
      ociUnpackOk(
        'bundle',
        'upgrade',
        ...hooks,
        ...conflicts,
        '--image',
        two,
        `${path}/old`,
        `${path}/new`
      )
      const expected = ['etc/', 'etc/b mine', 'etc/b.orig new', 'etc/c new', 'opt/', 'opt/new mine']
      expect(contents(`${path}/new/rootfs`)).toEqual(expected)
      expect(contents(`${path}/old/rootfs`)).toEqual(before)
      expect(fs.readFileSync(`${path}/trace`, 'utf8')).toContain('delta-list')
      expect(
        ociUnpackOk('diff', `${path}/new`)
          .stdout.split('\n')
          .map((line) => line.split(' (')[0])
      ).toEqual(['- etc/a', 'M etc/b', '+ etc/b.orig', '+ opt', '+ opt/new', ''])
      ociUnpackOk('bundle', 'upgrade', ...hooks, '--image', two, `${path}/new`, `${path}/third`)
      expect(contents(`${path}/third/rootfs`)).toEqual(expected)
    })
  }
)
