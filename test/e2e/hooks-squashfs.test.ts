/** The set that makes squashfs images of the directories that the engine has written. */
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { shippedSet } from '../conformance/kit.ts'
import { compareTrees } from '../support/compare-trees.ts'
import { buildImage } from '../support/image-builder.ts'
import { makeWithin, mountNew, requirementsOf, type Mounted } from '../support/loop.ts'
import { needs } from '../support/requires.ts'
import { directory, file, hardlink, symlink, tar } from '../support/tar-builder.ts'
import { ociUnpack, ociUnpackOk } from './cli.ts'

/** Without any in the image, Linux says that its file system has no attributes. */
const ATTRIBUTE = { 'SCHILY.xattr.user.a': 'b' }
const BASE = tar(
  directory('./', { mode: 0o751, uid: 3, mtime: 100 }),
  directory('d', { mode: 0o2750, uid: 70_000, gid: 5, mtime: 200 }),
  file('d/kept', 'k'.repeat(10_000), { mode: 0o4755, mtime: 300, pax: ATTRIBUTE }),
  file('d/gone', 'gone'),
  symlink('l', 'd', { mtime: 400 })
)
const UPPER = tar(
  file('d/.wh.gone'),
  hardlink('to-lower', 'd/kept'),
  file('l/through', 'through', { mtime: 500, pax: ATTRIBUTE })
)

describe.runIf(needs('mksquashfs', 'overlay', 'setfattr', ...requirementsOf('ext4')))(
  'the set squashfs',
  () => {
    let disk: Mounted
    let home: string
    let hooks: string

    beforeAll(() => {
      disk = mountNew('ext4')
      home = makeWithin(disk)
      hooks = shippedSet('squashfs', home)
    })
    afterAll(() => disk.release())

    /** Layers that were extracted. */
    function unpack(name: string, image: string): number {
      const trace = `${home}/${name}.trace`
      ociUnpackOk('unpack', '--hooks', hooks, '--trace', trace, '--image', image, `${home}/${name}`)
      return readFileSync(trace, 'utf8').split('layer.pre-extract').length - 1
    }

    test('reads the images of lower layers when layers above them are extracted', () => {
      const base = buildImage(`${home}/base`, { layers: [BASE] })
      const both = buildImage(`${home}/both`, { layers: [BASE, UPPER] })
      ociUnpackOk('raw', 'unpack', '--image', both.reference, `${home}/plain`)
      expect(unpack('one', base.reference)).toBe(1)
      expect(unpack('two', both.reference)).toBe(1)
      expect(compareTrees(`${home}/plain`, `${home}/two/rootfs`)).toEqual([])
      for (const layer of readdirSync(`${home}/store/layers`))
        expect(readFileSync(`${home}/store/layers/${layer}`).toString('latin1', 0, 4)).toBe('hsqs')
      for (const name of ['one', 'two'])
        ociUnpackOk('bundle', 'delete', '--hooks', hooks, `${home}/${name}`)
      expect(readdirSync(`${home}/store/bundles`)).toEqual([])
    })

    test('names the image of a layer that cannot be mounted', () => {
      const image = buildImage(`${home}/cut`, { layers: [tar(file('cut', 'c'))] }).reference
      unpack('first', image)
      const layers = readdirSync(`${home}/store/layers`).map((it) => `${home}/store/layers/${it}`)
      const layer = layers.find((it) => readFileSync(it).includes('cut'))!
      ociUnpackOk('bundle', 'delete', '--hooks', hooks, `${home}/first`)
      truncateSync(layer, 4)
      const { stderr } = ociUnpack('unpack', '--hooks', hooks, '--image', image, `${home}/second`)
      expect(stderr).toContain(`${layer}. If it is damaged, remove it`)
      rmSync(layer)
      expect(unpack('second', image)).toBe(1)
      ociUnpackOk('bundle', 'delete', '--hooks', hooks, `${home}/second`)
    })

    test('says what mksquashfs says, without its usage', () => {
      const settings = readFileSync(hooks, 'utf8')
      writeFileSync(hooks, settings.replace(/^OPTIONS = .*$/m, 'OPTIONS = "-comp zstd -unknown"'))
      const image = buildImage(`${home}/other`, { layers: [tar(file('other', ''))] }).reference
      const { status, stderr } = ociUnpack(
        'unpack',
        '--hooks',
        hooks,
        '--image',
        image,
        `${home}/x`
      )
      writeFileSync(hooks, settings)
      expect(status).toBe(1)
      expect(stderr).toMatch(/OPTIONS = "-comp zstd -unknown":\n +.*invalid option/)
      expect(stderr).not.toContain('SYNTAX')
      expect(readdirSync(`${home}/store/staged`)).toEqual([])
    })
  }
)
