/** `bundle mount` and `bundle umount`, with the set for overlayfs as it is shipped. */
import { spawn } from 'node:child_process'
import * as fs from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { shippedSet } from '../conformance/kit.ts'
import { buildImage, type BuiltImage } from '../support/image-builder.ts'
import { mountNew, type Mounted } from '../support/loop.ts'
import { needs } from '../support/requires.ts'
import { ok, run } from '../support/run.ts'
import { directory, file, tar } from '../support/tar-builder.ts'
import { ociUnpack, ociUnpackOk } from './cli.ts'

describe.runIf(needs('root', 'overlay', 'setfattr', 'findmnt'))('a mounted bundle', () => {
  let disk: Mounted
  let built: BuiltImage
  let hooks: string[]
  let bundle: string
  let rootfs: string

  beforeAll(() => {
    disk = mountNew('tmpfs')
    const layers = [tar(directory('etc/'), file('etc/a', 'one')), tar(file('b', 'two'))]
    built = buildImage(`${disk.path}/layout`, { layers })
    const toml = shippedSet('overlay', disk.path)
    hooks = ['--hooks', toml, '--trace', `${disk.path}/trace`]
    bundle = `${disk.path}/bundle`
    rootfs = `${bundle}/rootfs`
    ociUnpackOk('unpack', ...hooks, '--image', built.reference, bundle)
  })
  afterAll(() => {
    ociUnpack('bundle', 'delete', ...hooks, bundle)
    disk.release()
  })

  test('is unmounted and mounted again, with its changes, as often as asked', () => {
    fs.writeFileSync(`${rootfs}/new`, 'mine')
    fs.rmSync(`${rootfs}/b`)
    twice(() => ociUnpackOk('bundle', 'umount', ...hooks, bundle))
    expect(fs.readdirSync(rootfs)).toEqual([])
    for (const args of [
      ['diff', bundle],
      ['repack', ...hooks, '--image', `${built.layout}:none`, bundle],
      ['repack', '--no-hooks', '--image', `${built.layout}:none`, bundle]
    ]) {
      const { status, stderr } = ociUnpack(...args)
      expect([status, stderr]).toEqual([1, expect.stringContaining('`bundle mount`')])
    }
    twice(() => ociUnpackOk('bundle', 'mount', ...hooks, bundle))
    expect(fs.readFileSync(`${rootfs}/new`, 'utf8')).toBe('mine')
    expect(ociUnpackOk('diff', bundle).stdout).toBe('M . (tar_time)\n- b\n+ new\n')
    ociUnpackOk('repack', ...hooks, '--verify-delta', '--image', `${built.layout}:new`, bundle)
  })

  test('shows no difference after a restart, if nothing was changed in it', () => {
    const other = `${disk.path}/other`
    ociUnpackOk('unpack', ...hooks, '--image', built.reference, other)
    ok('umount', `${other}/rootfs`)
    fs.rmdirSync(`${other}/rootfs`)
    ociUnpackOk('bundle', 'mount', ...hooks, other)
    expect(ociUnpackOk('diff', other).stdout).toBe('')
    ociUnpackOk('bundle', 'umount', ...hooks, other)
    ociUnpackOk('bundle', 'delete', ...hooks, other)
    expect(fs.existsSync(other)).toBe(false)
  })

  test('is deleted after rm -r has taken all but its mount', () => {
    const removed = `${disk.path}/removed`
    ociUnpackOk('unpack', ...hooks, '--image', built.reference, removed)
    const before = fs.readdirSync(`${disk.path}/store/bundles`)
    expect(run('rm', '-rf', removed).status).toBe(1)
    expect(fs.readdirSync(removed)).toEqual(['rootfs'])
    const refused = ociUnpack('bundle', 'delete', '--no-hooks', removed)
    expect(refused.stderr).toContain('BUNDLE_BUSY')
    ociUnpackOk('bundle', 'delete', ...hooks, removed)
    expect(fs.existsSync(removed)).toBe(false)
    expect(fs.readdirSync(`${disk.path}/store/bundles`)).toHaveLength(before.length - 1)
  })

  test('of somebody else is not deleted', () => {
    const theirs = `${disk.path}/theirs`
    fs.mkdirSync(`${theirs}/rootfs`, { recursive: true })
    ok('mount', '-t', 'tmpfs', 'theirs', `${theirs}/rootfs`)
    fs.writeFileSync(`${theirs}/rootfs/precious`, '')
    try {
      expect(ociUnpack('bundle', 'delete', ...hooks, theirs).stderr).toContain('BUNDLE_BUSY')
      expect(fs.readdirSync(`${theirs}/rootfs`)).toEqual(['precious'])
    } finally {
      ok('umount', `${theirs}/rootfs`)
    }
  })

  test('stays mounted while something is mounted in it', () => {
    ok('mount', '-t', 'tmpfs', 'inside', `${rootfs}/etc`)
    try {
      const { status, stderr } = ociUnpack('bundle', 'umount', ...hooks, bundle)
      expect([status, stderr]).toEqual([1, expect.stringContaining('BUNDLE_BUSY')])
      expect(stderr).toContain(`path: ${rootfs}/etc`)
    } finally {
      ok('umount', `${rootfs}/etc`)
    }
    expect(run('mountpoint', '-q', rootfs).status).toBe(0)
  })

  test('that is in use is unmounted later, and it is said at once what is waited for', () => {
    const user = spawn('sleep', ['1.2'], { cwd: rootfs, stdio: 'ignore' })
    try {
      const { stderr } = ociUnpackOk('bundle', 'umount', ...hooks, bundle)
      expect(stderr.match(/^warn: .*/gm)).toHaveLength(1)
      expect(stderr).toContain('A hook is busy, and called again for up to 60 s. fuser and findmnt')
      expect(stderr).toMatch(/hook: bundle.umount; stderr: umount: .*rootfs: target is busy/)
    } finally {
      user.kill()
      ociUnpackOk('bundle', 'mount', ...hooks, bundle)
    }
  })

  test('is mounted by the hooks that made it, and by no others', () => {
    for (const args of [['--no-hooks'], ['--hooks', shippedSet('pool', `${disk.path}/more`)]]) {
      const { status, stderr } = ociUnpack('bundle', 'mount', ...args, bundle)
      expect([status, stderr]).toEqual([
        1,
        expect.stringContaining('expected: the hooks "overlay"')
      ])
    }
  })

  test('that needs no mount is left alone', () => {
    const plain = `${disk.path}/plain`
    ociUnpackOk('unpack', '--no-hooks', '--image', built.reference, plain)
    for (const command of ['mount', 'umount']) ociUnpackOk('bundle', command, '--no-hooks', plain)
    expect(fs.readdirSync(`${plain}/rootfs`).sort()).toEqual(['b', 'etc'])
    const { stderr } = ociUnpack('bundle', 'mount', '--no-hooks', `${disk.path}/none`)
    expect(stderr).toContain('There is no bundle at this path. [BUNDLE_INVALID]')
  })
})

function twice(act: () => unknown): void {
  act()
  act()
}
