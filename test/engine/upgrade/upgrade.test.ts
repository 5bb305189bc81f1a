/** What an upgrade carries over, on disk. */
import * as fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { repack, unpack, upgradeBundle } from '../../../src/index.ts'
import { directory, file, hardlink, symlink } from '../../support/tar-builder.ts'
import { unpackOptions } from '../../support/whoever.ts'
import { codeOf } from '../support.ts'
import { contents, diffLines, identities, withUpgrade } from './bundles.ts'

const OLD = [
  directory('etc/'),
  file('etc/hosts', 'old'),
  file('etc/motd', 'old'),
  file('etc/passwd', 'old'),
  directory('usr/'),
  file('usr/tool', 'old'),
  directory('opt/'),
  file('opt/data', 'old')
]
const NEW = [
  directory('etc/'),
  file('etc/hosts', 'old', { mtime: 99 }),
  file('etc/motd', 'new'),
  file('etc/passwd', 'new'),
  file('etc/added', 'new'),
  directory('usr/'),
  file('usr/tool', 'new')
]

function edit(rootfs: string): void {
  fs.writeFileSync(`${rootfs}/etc/hosts`, 'mine')
  fs.writeFileSync(`${rootfs}/etc/local`, 'mine')
  fs.mkdirSync(`${rootfs}/srv/www`, { recursive: true })
  fs.writeFileSync(`${rootfs}/srv/www/index`, 'mine')
  fs.writeFileSync(`${rootfs}/opt/mine`, 'mine')
}

const EDITED = [
  'etc/',
  'etc/added new',
  'etc/hosts mine',
  'etc/local mine',
  'etc/motd new',
  'etc/passwd new',
  'opt/',
  'opt/mine mine',
  'srv/',
  'srv/www/',
  'srv/www/index mine',
  'usr/',
  'usr/tool new'
]

const CARRIED = [
  'modified etc/hosts',
  'added etc/local',
  'added opt',
  'added opt/mine',
  'added srv',
  'added srv/www',
  'added srv/www/index'
]

describe('upgradeBundle', () => {
  test('carries local changes over to the tree of the new image', async () => {
    await withUpgrade(OLD, NEW, async ({ rootfs, newRootfs, run }) => {
      edit(rootfs)
      const { kept, conflicts } = await run()
      expect(contents(newRootfs)).toEqual(EDITED)
      expect(conflicts).toEqual([])
      expect(kept.map(({ kind, path, isGone }) => `${isGone ? 'gone' : kind} ${path}`)).toEqual([
        'modified etc/hosts',
        'added etc/local',
        'gone opt',
        'added opt/mine',
        'added srv',
        'added srv/www',
        'added srv/www/index'
      ])
    })
  })

  test.each(['/', '.', './', 'etc/..', 'nowhere,/'])('is limited to all by "%s"', async (only) => {
    await withUpgrade(OLD, NEW, async ({ rootfs, newRootfs, run }) => {
      edit(rootfs)
      await run({ only: only.split(',') })
      expect(contents(newRootfs)).toEqual(EDITED)
    })
  })

  test('is not limited to an empty text', async () => {
    await withUpgrade(OLD, NEW, async ({ made, run }) => {
      expect(await codeOf(run({ only: ['etc', ''] }))).toBe('USAGE')
      expect(fs.existsSync(made)).toBe(false)
    })
  })

  test('warns of a path to limit it to that is nowhere', async () => {
    await withUpgrade(OLD, NEW, async ({ rootfs, events, run }) => {
      edit(rootfs)
      fs.rmSync(`${rootfs}/usr`, { recursive: true })
      await run({ only: ['etc', 'usr', 'opt/data/none', 'ect'], dryRun: true })
      const warnings = events.filter(({ type }) => type === 'warning')
      expect(warnings.map((event) => 'facts' in event && event.facts)).toEqual([
        { entry: 'opt/data/none' },
        { entry: 'ect' }
      ])
    })
  })

  test.each(['', '/', '/rootfs/d', '/rootfs/new/d', '/../link/d'])(
    'is not made in the old bundle: old%s',
    async (below) => {
      await withUpgrade(OLD, NEW, async ({ work, old, run }) => {
        fs.symlinkSync('old/rootfs/etc', `${work}/link`)
        const before = identities(old)
        expect(await codeOf(run({ destination: `${old}${below}` }))).toBe('USAGE')
        expect(identities(old)).toEqual(before)
      })
    }
  )

  test('leaves the old bundle as it is, to the nanosecond', async () => {
    await withUpgrade(OLD, NEW, async ({ old, rootfs, run }) => {
      edit(rootfs)
      const before = identities(old)
      await run()
      expect(identities(old)).toEqual(before)
    })
  })

  test('makes local changes of the new bundle, which repack and a second upgrade find', async () => {
    await withUpgrade(OLD, NEW, async ({ work, rootfs, made, newImage, run }) => {
      edit(rootfs)
      await run()
      expect(await diffLines(made)).toEqual(CARRIED)
      const layout = newImage.slice(0, newImage.lastIndexOf(':'))
      await repack({ image: `${layout}:mine`, bundle: made, jobs: 1 })
      const image = `${layout}:mine`
      await unpack({ image, destination: `${work}/again`, jobs: 0, ...unpackOptions })
      expect(contents(`${work}/again/rootfs`)).toEqual(EDITED)

      const destination = `${work}/second`
      await upgradeBundle({ bundle: made, image: newImage, destination, jobs: 0 })
      expect(contents(`${destination}/rootfs`)).toEqual(EDITED)
      expect(await diffLines(destination)).toEqual(CARRIED)
    })
  })

  test('carries deletions over, and replaced objects', async () => {
    const image = [
      directory('d/'),
      directory('d/e/'),
      file('d/e/f', '1'),
      file('a', '1'),
      file('b')
    ]
    await withUpgrade(image, [...image, file('c', '2')], async ({ rootfs, newRootfs, run }) => {
      fs.rmSync(`${rootfs}/d`, { recursive: true })
      fs.symlinkSync('elsewhere', `${rootfs}/d`)
      fs.rmSync(`${rootfs}/a`)
      fs.rmSync(`${rootfs}/b`)
      fs.mkdirSync(`${rootfs}/b`)
      fs.writeFileSync(`${rootfs}/b/x`, 'mine')
      await run()
      expect(contents(newRootfs)).toEqual(['b/', 'b/x mine', 'c 2', 'd ?'])
      expect(fs.readlinkSync(`${newRootfs}/d`)).toBe('elsewhere')
    })
  })

  test('carries modes, times and links of files over', async () => {
    const image = [directory('d/'), file('d/a', '1'), hardlink('d/b', 'd/a'), symlink('l', 'd/a')]
    await withUpgrade(image, [...image, file('x')], async ({ rootfs, newRootfs, run }) => {
      fs.chmodSync(`${rootfs}/d/a`, 0o4711)
      fs.utimesSync(`${rootfs}/d/a`, 5, 1234.5)
      fs.linkSync(`${rootfs}/d/a`, `${rootfs}/d/c`)
      fs.chmodSync(`${rootfs}/d`, 0o700)
      await run()
      const [a, b, c] = ['a', 'b', 'c'].map((name) => fs.statSync(`${newRootfs}/d/${name}`))
      expect(a).toMatchObject({ mode: 0o104711, mtimeMs: 1234500, nlink: 3 })
      expect([b!.ino, c!.ino]).toEqual([a!.ino, a!.ino])
      expect(fs.statSync(`${newRootfs}/d`).mode & 0o777).toBe(0o700)
    })
  })

  test('links a name that was not changed with those that are new', async () => {
    const image = [directory('d/'), file('a', '1'), hardlink('d/b', 'a')]
    await withUpgrade(image, image, async ({ rootfs, newRootfs, run }) => {
      fs.renameSync(`${rootfs}/d/b`, `${rootfs}/d/c`)
      await run()
      expect(contents(newRootfs)).toEqual(['a 1', 'd/', 'd/c 1'])
      expect(fs.statSync(`${newRootfs}/a`)).toMatchObject({
        nlink: 2,
        ino: fs.statSync(`${newRootfs}/d/c`).ino
      })
    })
  })

  test('has no use for a name that only means a deletion in layers, and looks only where it is asked to', async () => {
    await withUpgrade(OLD, NEW, async ({ rootfs, run }) => {
      fs.writeFileSync(`${rootfs}/opt/.wh.x`, '')
      expect(await codeOf(run())).toBe('ENTRY_INVALID')
      expect((await run({ only: ['etc'] })).kept).toEqual([])
    })
  })

  test('writes holes as holes', async () => {
    await withUpgrade([file('a')], [file('b')], async ({ rootfs, newRootfs, run }) => {
      fs.writeFileSync(`${rootfs}/sparse`, '')
      fs.truncateSync(`${rootfs}/sparse`, 1 << 26)
      await run()
      expect(fs.statSync(`${newRootfs}/sparse`)).toMatchObject({ size: 1 << 26 })
      expect(fs.statSync(`${newRootfs}/sparse`).blocks).toBeLessThan(1000)
    })
  })

  test('does nothing where nothing was changed', async () => {
    await withUpgrade(OLD, NEW, async ({ made, newRootfs, run }) => {
      expect((await run()).kept).toEqual([])
      expect(await diffLines(made)).toEqual([])
      expect(contents(newRootfs)).toContain('etc/motd new')
    })
  })

  test('limits itself to the paths of only', async () => {
    await withUpgrade(OLD, NEW, async ({ rootfs, newRootfs, run }) => {
      edit(rootfs)
      await run({ only: ['/etc/', 'opt/mine'] })
      const left = EDITED.filter((line) => !line.startsWith('srv'))
      expect(contents(newRootfs)).toEqual(left)
    })
  })
})

describe('conflicts', () => {
  test('make nothing without a rule, and all are told', async () => {
    await withUpgrade(OLD, NEW, async ({ work, rootfs, made, events, run }) => {
      fs.writeFileSync(`${rootfs}/etc/motd`, 'mine')
      fs.rmSync(`${rootfs}/etc/passwd`)
      fs.writeFileSync(`${rootfs}/opt/data`, 'mine')
      const before = fs.readdirSync(work)
      expect(await codeOf(run({ conflicts: ['keep:etc'] }))).toBe('UPGRADE_CONFLICT')
      expect(fs.readdirSync(work)).toEqual(before)
      expect(fs.existsSync(made)).toBe(false)
      const merge = events.find((event) => event.type === 'merge')
      expect(merge?.conflicts).toEqual([
        conflict('etc/motd', 'modified', 'modified', 'keep'),
        conflict('etc/passwd', 'deleted', 'modified', 'keep'),
        conflict('opt/data', 'modified', 'deleted', undefined)
      ])
    })
  })

  test.each<[string, string[]]>([
    ['keep', ['etc/motd mine', 'etc/passwd mine', 'opt/data mine']],
    ['new', ['etc/motd new', 'etc/passwd new']],
    [
      'both',
      [
        'etc/motd mine',
        'etc/motd.orig local',
        'etc/motd.orig.1 new',
        'etc/passwd mine',
        'etc/passwd.orig new',
        'opt/data mine'
      ]
    ]
  ])('are decided by %s', async (rule, expected) => {
    await withUpgrade(OLD, NEW, async ({ rootfs, newRootfs, run }) => {
      fs.writeFileSync(`${rootfs}/etc/motd.orig`, 'local')
      fs.writeFileSync(`${rootfs}/etc/motd`, 'mine')
      fs.writeFileSync(`${rootfs}/etc/passwd`, 'mine')
      fs.writeFileSync(`${rootfs}/opt/data`, 'mine')
      await run({ conflicts: [rule] })
      const found = contents(newRootfs).filter((line) => /motd|passwd|data/.test(line))
      const kept = rule === 'both' ? expected : [...expected, 'etc/motd.orig local']
      expect(found).toEqual(kept.toSorted())
    })
  })

  test('do not come from the same change on both sides', async () => {
    await withUpgrade(OLD, NEW, async ({ rootfs, newRootfs, run }) => {
      fs.writeFileSync(`${rootfs}/etc/motd`, 'new')
      fs.rmSync(`${rootfs}/opt`, { recursive: true })
      expect(await run()).toMatchObject({ conflicts: [], kept: [] })
      expect(fs.statSync(`${newRootfs}/etc/motd`).mtimeMs).toBe(0)
    })
  })

  test('keep a directory of the image beside a link of the bundle', async () => {
    const image = [directory('d/'), file('d/a', '1')]
    const other = [directory('d/'), file('d/a', '2'), hardlink('d/b', 'd/a')]
    await withUpgrade(image, other, async ({ rootfs, newRootfs, run }) => {
      fs.rmSync(`${rootfs}/d`, { recursive: true })
      fs.symlinkSync('x', `${rootfs}/d`)
      const { conflicts } = await run({ conflicts: ['both'] })
      expect(conflicts).toMatchObject([{ path: 'd', original: 'd.orig' }])
      expect(contents(newRootfs)).toEqual(['d ?', 'd.orig/', 'd.orig/a 2', 'd.orig/b 2'])
      expect(fs.statSync(`${newRootfs}/d.orig/a`).nlink).toBe(2)
    })
  })

  test('are refused rules that are none', async () => {
    await withUpgrade(OLD, NEW, async ({ run }) => {
      await expect(run({ conflicts: ['ours'] })).rejects.toMatchObject({ code: 'USAGE' })
    })
  })
})

describe('a dry run', () => {
  test('plans, and makes nothing', async () => {
    await withUpgrade(OLD, NEW, async ({ work, old, rootfs, run }) => {
      edit(rootfs)
      fs.writeFileSync(`${rootfs}/etc/motd`, 'mine')
      const before = [fs.readdirSync(work), identities(old)]
      const layout = `${work}/kept:x`
      const { kept, conflicts } = await run({ dryRun: true, layout })
      expect([fs.readdirSync(work), identities(old)]).toEqual(before)
      expect(kept.map(({ path }) => path)).toContain('etc/hosts')
      expect(conflicts).toEqual([conflict('etc/motd', 'modified', 'modified', undefined)])
    })
  })

  test('still refuses a place that is taken', async () => {
    await withUpgrade(OLD, NEW, async ({ made, run }) => {
      await run()
      const taken = run({ dryRun: true, destination: made })
      await expect(taken).rejects.toMatchObject({ code: 'BUNDLE_EXISTS' })
    })
  })
})

function conflict(
  path: string,
  local: string,
  image: string,
  resolution: string | undefined
): object {
  return { path, local, image, resolution, original: undefined }
}
