import { chownSync, lchownSync, lstatSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareTrees } from '../support/compare-trees.ts'
import { makeWithin, mountNew, requirementsOf, type Mounted } from '../support/loop.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { environmentOf, layer, SetDriver } from './set-driver.ts'
import { base, storeCases } from './store-cases.ts'

const FILE_SYSTEMS = [
  { type: 'xfs', clones: true },
  { type: 'btrfs', clones: true },
  { type: 'ext4', clones: false }
] as const
const tools = ['setfattr', 'setcap', 'setfacl']
const usable = FILE_SYSTEMS.filter(({ type }) => needs(...tools, ...requirementsOf(type)))

describe.each(usable)('the pool set with copies on $type', ({ type, clones }) => {
  const BACKEND = clones ? 'reflink' : 'plain'
  let disk: Mounted

  beforeAll(() => {
    disk = mountNew(type)
  })
  afterAll(() => disk.release())

  function newBundle(home = makeWithin(disk), name = 'bundle'): SetDriver {
    return new SetDriver('pool', join(home, 'store'), join(home, name), { BACKEND })
  }

  /** As the engine changes a tree: a file by a new one, only directories and links in their place. */
  const second = layer('second', (target) => {
    writeFileSync(join(target, 'added'), '')
    rmSync(join(target, 'links/written'))
    rmSync(join(target, 'changed/content'))
    writeFileSync(join(target, 'changed/content'), 'replaced')
    chownSync(join(target, 'dir'), 5, 6)
    lchownSync(join(target, 'changed/link'), 5, 6)
  })

  storeCases({
    twoBundles: () => {
      const home = makeWithin(disk)
      return [newBundle(home, 'one'), newBundle(home, 'other')]
    },
    committed: 'images',
    second
  })

  test('a new state does not change the one below it, nor a bundle its state', () => {
    const bundle = newBundle()
    const apart = join(makeWithin(disk), 'apart')
    const { targets } = bundle.unpack([base])
    ok('cp', '-a', '-T', targets[0]!, apart)
    const other = newBundle(join(bundle.bundle, '..'), 'second')
    other.unpack([base, second])
    ok(
      'sh',
      '-c',
      'find "$1" -type f -exec sh -c \'echo changed >>"$1"\' sh {} \\;',
      'sh',
      other.rootfs
    )
    // names in other states count as links of a file that states share
    const ignore = clones ? [] : ['*:nlink']
    expect(compareTrees(apart, targets[0]!, ignore)).toEqual([])
    expect(compareTrees(apart, bundle.rootfs)).toEqual([])
  })

  test('files of unchanged layers take no space again', () => {
    const bundle = newBundle()
    const big = layer('big', (target) => {
      ok('dd', 'if=/dev/urandom', `of=${join(target, 'big')}`, 'bs=1M', 'count=60', 'status=none')
    })
    const more = [0, 1, 2].map((index) =>
      layer(`more ${index}`, (target) => writeFileSync(join(target, String(index)), ''))
    )
    bundle.unpack([big, ...more])
    ok('sync', '-f', disk.path)
    const used = Number(ok('df', '--output=used', '-B1M', disk.path).stdout.split('\n')[1])
    // the states together hold it once; a bundle's own copy comes on top where there are no clones
    expect(used).toBeLessThan(clones ? 150 : 200)
    rmSync(bundle.bundle, { recursive: true })
    bundle.must('gc', { OCI_UNPACK_LIVE_KEYS: '' })
  })

  test('holes, links, devices, sockets and capabilities come along', () => {
    const bundle = newBundle()
    const odd = layer('odd', (target) => {
      base.write(target)
      const bind = 'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])'
      ok('sh', '-c', `cd "$1" && python3 -c '${bind}' socket`, 'sh', target)
    })
    const { targets } = bundle.unpack([odd])
    expect(compareTrees(targets[0]!, bundle.rootfs)).toEqual([])
    expect(lstatSync(join(bundle.rootfs, 'changed/sparse')).blocks).toBeLessThan(64)
    expect(ok('getcap', join(bundle.rootfs, 'changed/same')).stdout).toContain('cap_net_raw')
  })

  test('an image without layers is an empty directory', () => {
    const bundle = newBundle()
    bundle.unpack([])
    expect(readdirSync(bundle.rootfs)).toEqual([])
    expect(lstatSync(bundle.rootfs).mode & 0o777).toBe(0o755)
  })

  test('a bundle on a file system without clones is a copy', () => {
    const { path, release } = mountNew('tmpfs')
    try {
      const bundle = new SetDriver('pool', join(makeWithin(disk), 'store'), join(path, 'bundle'), {
        BACKEND
      })
      const { targets } = bundle.unpack([base, second])
      // on xfs an access list shows as an attribute as well
      const ignore = ['*:xattr.trusted.SGI_ACL_FILE', ...(clones ? [] : ['*:nlink'])]
      expect(compareTrees(targets[1]!, bundle.rootfs, ignore)).toEqual([])
      expect(bundle.call('try-skip', environmentOf([base], 0)).status).toBe(0)
    } finally {
      release()
    }
  })

  test('repack, refresh and delete are left to the engine', () => {
    const bundle = newBundle()
    bundle.unpack([base])
    for (const point of ['delta-list', 'refresh-bundle', 'delete'])
      expect(bundle.call(point).status).toBe(10)
  })
})
