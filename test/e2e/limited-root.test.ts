/** Root without all capabilities, as in a container: what it cannot make is remembered, and packed as the image had it. */
import { lstatSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildImage } from '../support/image-builder.ts'
import { ok, run, type Run } from '../support/run.ts'
import { needs } from '../support/requires.ts'
import { char, directory, file, symlink, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackCommand, ociUnpackOk } from './cli.ts'

const LAYER = tar(
  directory('dev/'),
  char('dev/console', 5, 1, { mode: 0o600, gid: 5 }),
  char('dev/null', 1, 3, { mode: 0o666 }),
  char('dev/zero', 1, 5, { mode: 0o666 }),
  directory('etc/', { uid: 7 }),
  symlink('etc/link', 'target', { uid: 8, gid: 9 }),
  file('etc/trusted', 'x', { pax: { 'SCHILY.xattr.trusted.a': 'b' } }),
  file('etc/user', 'x', { pax: { 'SCHILY.xattr.user.a': 'b' } })
)

const CAPABILITIES = '-mknod,-sys_admin'

describe.runIf(needs('root', 'setpriv'))('root without CAP_MKNOD and CAP_SYS_ADMIN', () => {
  const work = makeTemporary()
  const image = `${work}/layout:latest`

  beforeAll(() => buildImage(`${work}/layout`, { layers: [LAYER] }))
  afterAll(() => removeTemporary(work))

  test('unpacks, and says once for each kind what it could not make', () => {
    const { status, stderr } = limited('unpack', '--image', image, `${work}/warned`)
    expect(status).toBe(0)
    expect(stderr.trim().split('\n')).toEqual([
      'warn: Devices became empty files, because this process cannot make devices. A repack restores them. (entry: dev/console; found: 3)',
      'warn: Some extended attributes of the image could not be set. A repack restores them. (entry: etc/trusted; found: trusted.a)'
    ])
    const stand = lstatSync(`${work}/warned/rootfs/dev/console`)
    expect([stand.isFile(), stand.size, stand.mode & 0o7777, stand.gid]).toEqual([
      true,
      0,
      0o600,
      5
    ])
    expect(lstatSync(`${work}/warned/rootfs/etc/link`)).toMatchObject({ uid: 8, gid: 9 })
    const { map_options: options } = json(`${work}/warned/umoci.json`) as { map_options: object }
    expect(options).toMatchObject({ rootless: false, uid_mappings: null })
  })

  test('an untouched tree gives no layer', () => {
    expect(ok(...program('unpack', '--image', image, `${work}/same`)).status).toBe(0)
    expect(ok(...program('diff', `${work}/same`)).stdout).toBe('')
    ok(...program('repack', '--image', `${work}/layout:same`, `${work}/same`))
    expect(layers('same')).toEqual([])
  })

  test('packs what was touched as root with all capabilities does', () => {
    for (const [tag, act] of [
      ['by-limited', limited],
      ['by-root', full]
    ] as const) {
      const bundle = `${work}/${tag}`
      expect(act('unpack', '--image', image, bundle).status).toBe(0)
      edit(`${bundle}/rootfs`)
      expect(
        act('repack', '--image', `${work}/layout:${tag}`, '--refresh-bundle', bundle).status
      ).toBe(0)
      // once more: what is remembered is the bundle's still
      ok('touch', '-d', '@99', `${bundle}/rootfs/dev/zero`, `${bundle}/rootfs/dev`)
      expect(act('repack', '--image', `${work}/layout:${tag}`, bundle).status).toBe(0)
    }
    expect(layers('by-limited')).toHaveLength(2)
    expect(diffIds('by-limited')).toEqual(diffIds('by-root'))
  })

  test('packs what was replaced as what it is now', () => {
    const bundle = `${work}/replaced`
    limited('unpack', '--image', image, bundle)
    const rootfs = `${bundle}/rootfs`
    writeFileSync(`${rootfs}/new`, '')
    renameSync(`${rootfs}/new`, `${rootfs}/dev/console`)
    rmSync(`${rootfs}/dev/null`)
    symlinkSync('zero', `${rootfs}/dev/null`)
    writeFileSync(`${rootfs}/dev/zero`, 'text')
    limited('repack', '--image', `${work}/layout:replaced`, bundle)
    const { stdout } = ociUnpackOk(
      'file',
      'list',
      '--image',
      `${work}/layout:replaced`,
      '--long',
      '/dev'
    )
    expect(stdout.split('\n').map((line) => line[0])).toEqual(expect.not.arrayContaining(['c']))
  })

  test('a file of a device in a plain root file system is told, and nothing says that a repack restores it', () => {
    const { stderr } = limited('raw', 'unpack', '--image', image, `${work}/raw`)
    expect(stderr).toContain('cannot make devices. (entry: dev/console; found: 3)')
    expect(stderr).not.toContain('repack')
  })

  test('the bundle is removed with all its files', () => {
    limited('unpack', '--image', image, `${work}/removed`)
    expect(limited('bundle', 'delete', `${work}/removed`).status).toBe(0)
    expect(lstatSync(`${work}/removed`, { throwIfNoEntry: false })).toBeUndefined()
  })

  test('a damaged record is an error that names it, before anything is written', () => {
    const bundle = `${work}/damaged`
    limited('unpack', '--image', image, bundle)
    const [record] = ok('find', bundle, '-name', '*.unheld').stdout.trim().split('\n')
    writeFileSync(record!, '{')
    ok('touch', `${bundle}/rootfs/dev/null`)
    const { status, stderr } = limited('repack', '--image', `${work}/layout:damaged`, bundle)
    expect(status).toBe(1)
    expect(stderr).toContain('[BUNDLE_INVALID]')
    expect(stderr).toContain('.unheld')
    expect(ociUnpackOk('list', '--layout', `${work}/layout`).stdout).not.toContain('damaged')
  })

  function layers(tag: string): unknown[] {
    return stat(tag).history.filter(({ empty_layer: isEmpty }) => isEmpty !== true)
  }

  function diffIds(tag: string): unknown[] {
    return stat(tag).history.map(({ diff_id: id }) => id)
  }

  function stat(tag: string): { history: { diff_id?: string; empty_layer?: boolean }[] } {
    const { stdout } = ociUnpackOk('stat', '--image', `${work}/layout:${tag}`, '--json')
    return JSON.parse(stdout) as ReturnType<typeof stat>
  }
})

function edit(rootfs: string): void {
  ok('touch', '-d', '@1234', `${rootfs}/dev/null`, `${rootfs}/etc/trusted`)
  ok('touch', '-h', '-d', '@1234', `${rootfs}/etc/link`)
  renameSync(`${rootfs}/dev/console`, `${rootfs}/etc/console`)
  ok('touch', '-d', '@1234', `${rootfs}/dev`, `${rootfs}/etc`)
}

function json(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'))
}

function program(...args: string[]): [string, ...string[]] {
  return [
    'setpriv',
    `--bounding-set=${CAPABILITIES}`,
    `--inh-caps=${CAPABILITIES}`,
    ...ociUnpackCommand,
    ...args
  ]
}

function limited(...args: string[]): Run {
  return run(...program(...args))
}

function full(...args: string[]): Run {
  return run(...ociUnpackCommand, ...args)
}
