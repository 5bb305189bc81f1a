/** Raw unpack over trees in which something is mounted: it goes round that, or changes nothing at all. */
import * as fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { mountsBelow } from '../../src/sys/mounts.ts'
import { snapshot } from '../reference/snapshot.ts'
import { buildImage } from '../support/image-builder.ts'
import { library } from '../support/dist.ts'
import { mountNew, requirementsOf } from '../support/loop.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { directory, file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack } from './cli.ts'

type Member = ReturnType<typeof file>

/** So many names that any other directory of the kind would be moved aside. */
const beside = (parent: string): Member[] =>
  ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => file(`${parent}/${name}`, name))

describe.runIf(needs('root', 'mounts'))('below the target', () => {
  let work: string
  let root: string
  beforeEach(() => {
    work = fs.realpathSync(makeTemporary())
    root = `${work}/root`
    fs.mkdirSync(`${root}/var/data`, { recursive: true })
    fs.mkdirSync(`${root}/etc`)
    fs.writeFileSync(`${root}/etc/hosts`, 'of the tree')
  })
  afterEach(() => {
    // wherever a defect has moved them
    for (const point of mountsBelow(work).reverse()) ok('umount', '-l', point)
    removeTemporary(work)
  })

  function unpack(...members: Member[]): Promise<unknown> {
    const { reference } = buildImage(`${work}/layout`, { layers: [tar(...members)] })
    return library.unpackRootfs({ image: reference, destination: root })
  }

  /** The tree with all that is mounted in it stays, and nothing else is there afterwards. */
  async function expectRefused(mount: string, ...members: Member[]): Promise<void> {
    const before = snapshot(root)
    await expect(unpack(...members)).rejects.toMatchObject({
      code: 'TARGET_BUSY',
      facts: { path: `${root}/${mount}` }
    })
    expect(snapshot(root)).toBe(before)
  }

  async function expectRound(mount: string, ...members: Member[]): Promise<void> {
    const before = snapshot(`${root}/${mount}`)
    const { inode, device } = identityOf(`${root}/${mount}`)
    await unpack(...members)
    expect(snapshot(`${root}/${mount}`)).toBe(before)
    expect(identityOf(`${root}/${mount}`)).toEqual({ inode, device })
  }

  const MOUNTS: [string, () => void][] = [
    ['a file system in memory', () => ok('mount', '-t', 'tmpfs', 'tmpfs', `${root}/var/data`)],
    [
      'a directory of the same file system',
      () => {
        fs.mkdirSync(`${work}/elsewhere`)
        ok('mount', '--bind', `${work}/elsewhere`, `${root}/var/data`)
      }
    ],
    [
      'a mount in a mount',
      () => {
        ok('mount', '-t', 'tmpfs', 'tmpfs', `${root}/var/data`)
        fs.mkdirSync(`${root}/var/data/inner`)
        ok('mount', '-t', 'tmpfs', 'tmpfs', `${root}/var/data/inner`)
        fs.writeFileSync(`${root}/var/data/inner/precious`, '')
      }
    ]
  ]

  describe.each(MOUNTS)('%s', (_, mount) => {
    beforeEach(() => {
      mount()
      fs.mkdirSync(`${root}/var/data/precious`)
      fs.writeFileSync(`${root}/var/data/precious/file`, 'precious')
    })

    test('stays when many names come beside it', () =>
      expectRound('var/data', ...beside('var'), directory('var/', { mode: 0o711 })))
    test('stays when nothing comes near', () => expectRound('var/data', ...beside('usr')))
    test('is not entered', () => expectRefused('var/data', file('var/data/new')))
    test('is not described', () => expectRefused('var/data', directory('var/data/')))
    test('is not removed', () => expectRefused('var/data', file('var/.wh.data')))
    test('is not removed from', () => expectRefused('var/data', file('var/data/precious/.wh.file')))
    test('is not emptied', () => expectRefused('var/data', file('var/data/.wh..wh..opq')))
    test('holds the directory above it', () => expectRefused('var/data', file('.wh.var')))
    test('holds what is replaced above it', () => expectRefused('var/data', file('var')))
  })

  describe('a mounted file', () => {
    beforeEach(() => {
      fs.writeFileSync(`${work}/hosts`, 'mounted')
      ok('mount', '--bind', `${work}/hosts`, `${root}/etc/hosts`)
    })

    test('stays when many names come beside it', () => expectRound('etc/hosts', ...beside('etc')))
    test('is not replaced', () => expectRefused('etc/hosts', file('etc/hosts', 'of the image')))
    test('is not removed', () => expectRefused('etc/hosts', file('etc/.wh.hosts')))
    test('holds the directory that it is in', () => expectRefused('etc/hosts', file('.wh.etc')))
  })

  test.runIf(needs(...requirementsOf('btrfs'), 'btrfs'))(
    'a volume of its own is gone round',
    async () => {
      const disk = mountNew('btrfs')
      try {
        root = `${disk.path}/root`
        fs.mkdirSync(`${root}/var`, { recursive: true })
        ok('btrfs', 'subvolume', 'create', `${root}/var/data`)
        fs.writeFileSync(`${root}/var/data/precious`, 'precious')
        await expectRound('var/data', ...beside('var'))
        await expectRefused('var/data', file('var/data/new'))
        await expectRefused('var/data', file('.wh.var'))
      } finally {
        disk.release()
      }
    }
  )

  test('the target itself may be a mount', () => {
    ok('mount', '-t', 'tmpfs', 'tmpfs', `${root}/var/data`)
    const { reference } = buildImage(`${work}/layout`, { layers: [tar(file('a/b', 'new'))] })
    const over = (target: string) => ociUnpack('raw', 'unpack', '--image', reference, target)
    expect(over(`${root}/var/data`).status).toBe(0)
    expect(fs.readdirSync(`${root}/var/data`)).toEqual(['a'])
    fs.renameSync(`${root}/etc`, `${root}/a`)
    ok('mount', '--bind', `${root}/var`, `${root}/a`)
    try {
      const { status, stderr } = over(root)
      expect(stderr).toContain('umount')
      expect(status).toBe(1)
    } finally {
      ok('umount', `${root}/a`)
    }
  })
})

function identityOf(path: string): { inode: bigint; device: bigint } {
  const { ino: inode, dev: device } = fs.lstatSync(path, { bigint: true })
  return { inode, device }
}

test.runIf(needs('root', 'mounts'))('repack warns of what is mounted in a bundle', () => {
  const work = fs.realpathSync(makeTemporary())
  try {
    const { reference } = buildImage(`${work}/layout`, { layers: [tar(directory('mnt/'))] })
    const bundle = `${work}/bundle`
    expect(ociUnpack('unpack', '--image', reference, bundle).status).toBe(0)
    ok('mount', '-t', 'tmpfs', 'none', `${bundle}/rootfs/mnt`)
    const { status, stderr } = ociUnpack('repack', '--image', `${work}/layout:new`, bundle)
    expect(status).toBe(0)
    expect(stderr).toContain('Something is mounted in the root file system')
    expect(stderr).toContain(`${bundle}/rootfs/mnt`)
  } finally {
    for (const point of mountsBelow(work)) ok('umount', point)
    removeTemporary(work)
  }
})
