/** The set that keeps layers as EROFS images, from the first unpack to the last collection. */
import { readdirSync, readFileSync, readlinkSync, rmSync, truncateSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cacheDirectory } from '../../src/sys/cache-directory.ts'
import { shippedSet } from '../conformance/kit.ts'
import { compareTrees } from '../support/compare-trees.ts'
import { blobPath, buildImage, type BuiltImage } from '../support/image-builder.ts'
import { makeWithin, mountNew, requirementsOf, type Mounted } from '../support/loop.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { char, directory, fifo, file, hardlink, symlink, tar } from '../support/tar-builder.ts'
import { ociUnpack, ociUnpackOk } from './cli.ts'

const OVERLAY = { 'SCHILY.xattr.trusted.overlay.opaque': 'y', 'SCHILY.xattr.user.a': 'b' }
const BASE = tar(
  directory('./', { mode: 0o751, uid: 3, mtime: 100 }),
  directory('d', { mode: 0o2750, uid: 70_000, gid: 5, pax: OVERLAY }),
  file('d/kept', 'k'.repeat(10_000), { mode: 0o4755, pax: { mtime: '1234567890.123456789' } }),
  hardlink('d/again', 'd/kept'),
  file('d/gone', 'gone'),
  directory('o'),
  file('o/below', 'below'),
  symlink('l', 'd'),
  fifo('p'),
  char('c', 1, 3)
)
/** A link to a lower layer, and a path through one of its links: an image alone does not have them. */
const UPPER = tar(
  file('d/.wh.gone'),
  file('o/.wh..wh..opq'),
  file('o/above', 'above'),
  hardlink('to-lower', 'd/kept'),
  file('l/through', 'through')
)

describe.runIf(needs('erofs', 'overlay', 'setfattr', ...requirementsOf('ext4')))(
  'the set erofs',
  () => {
    let disk: Mounted
    let home: string
    let hooks: string
    let image: BuiltImage

    beforeAll(() => {
      disk = mountNew('ext4')
      home = makeWithin(disk)
      hooks = shippedSet('erofs', home)
      image = buildImage(`${home}/layout`, { layers: [BASE, UPPER] })
      ociUnpackOk('unpack', '--no-hooks', '--image', image.reference, `${home}/plain`)
    })
    afterAll(() => disk.release())

    function unpack(name: string, from = image.reference): string[] {
      const trace = `${home}/${name}.trace`
      ociUnpackOk('unpack', '--hooks', hooks, '--trace', trace, '--image', from, `${home}/${name}`)
      const lines = readFileSync(trace, 'utf8').trimEnd().split('\n')
      return lines.map((line) => (JSON.parse(line) as { hook: string }).hook.split('.').at(-1)!)
    }

    const rootfs = (name: string): string => `${home}/${name}/rootfs`
    const remove = (name: string): void =>
      void ociUnpackOk('bundle', 'delete', '--hooks', hooks, `${home}/${name}`)
    const namesIn = (place: string): string[] => readdirSync(`${home}/store/${place}`)

    /** Whether bundle `one` needs what joins layers. */
    const isUsed = (joined: string): boolean =>
      readlinkSync(`${readlinkSync(`${home}/one/.oci-unpack/bundle`)}/merged`).endsWith(joined)

    test('shows what a plain unpack makes; the second time nothing is read', () => {
      expect(unpack('one')).toContain('pre-extract')
      expect(compareTrees(rootfs('plain'), rootfs('one'))).toEqual([])
      expect(unpack('two')).toEqual(['prepare', 'try-skip', 'try-skip', 'merge', 'finish'])
      expect(compareTrees(rootfs('plain'), rootfs('two'))).toEqual([])
      expect(ociUnpackOk('diff', `${home}/two`).stdout).toBe('')
      remove('two')
    })

    test.each(['remembered', 'forgotten'])(
      'joins layers that exist, whose entries are %s',
      (name) => {
        const base = buildImage(`${home}/${name}-layout`, { layers: [BASE] })
        const plain = `${home}/${name}-plain`
        ociUnpackOk('raw', 'unpack', '--image', base.reference, plain)
        if (name === 'remembered') rmSync(blobPath(base.layout, base.layers[0]!))
        else rmSync(`${cacheDirectory()!}/manifests/erofs`, { recursive: true })
        expect(unpack(name, base.reference)).not.toContain('pre-extract')
        expect(compareTrees(plain, rootfs(name))).toEqual([])
        remove(name)
        for (const joined of namesIn('merged'))
          if (!isUsed(joined)) rmSync(`${home}/store/merged/${joined}`)
      }
    )

    test('mounts the images by themselves, but no others in their places', () => {
      const bundle = readlinkSync(`${home}/one/.oci-unpack/bundle`)
      const [lower, upper] = [`${bundle}/layers/0`, `${bundle}/layers/1`]
      const mount = (...layers: string[]): string[] => {
        const flags = layers.flatMap((layer) => ['--layer', layer])
        return ['erofs', 'mount', ...flags, `${bundle}/merged`, `${bundle}/lower`]
      }
      ociUnpackOk(...mount(lower, upper))
      try {
        expect(ok('cat', `${bundle}/lower/d/through`).stdout).toBe('through')
      } finally {
        ociUnpackOk('erofs', 'umount', `${bundle}/lower`)
      }
      for (const wrong of [[upper, lower], [lower], [lower, lower]])
        expect(ociUnpack(...mount(...wrong)).stderr).toContain('[EROFS_INVALID]')
    })

    test('names a damaged layer of a bundle that is to be mounted, and says what to do', () => {
      const layer = readlinkSync(`${readlinkSync(`${home}/one/.oci-unpack/bundle`)}/layers/1`)
      const bundle = ['--hooks', hooks, `${home}/one`]
      ociUnpackOk('bundle', 'umount', ...bundle)
      truncateSync(layer, 4096)
      const { stderr } = ociUnpack('bundle', 'mount', ...bundle)
      expect(stderr).toContain(`file: ${layer}\n`)
      expect(stderr).toContain('reason: it was cut short')
      const again = ['unpack', '--hooks', hooks, '--image', image.reference, `${home}/again`]
      const refused = ociUnpack(...again).stderr
      expect(refused).toContain(`path: ${layer}\n`)
      expect(refused).toContain('it is cut short')
      for (const said of [stderr, refused]) expect(said).toMatch(/remove (this file|it)/i)
      rmSync(layer)
      ociUnpackOk(...again)
      ociUnpackOk('bundle', 'mount', ...bundle)
      expect(compareTrees(rootfs('plain'), rootfs('one'))).toEqual([])
      remove('again')
    })

    test('keeps layers and what joins them as long as a bundle or an image needs them', () => {
      const none = buildImage(`${home}/none`, { layers: [tar(file('other', ''))] })
      const collect = (layout: string): void =>
        void ociUnpackOk('hooks', 'gc', '--hooks', hooks, '--layout', layout)
      collect(none.layout)
      expect(namesIn('layers')).toHaveLength(2)
      remove('one')
      collect(image.layout)
      expect(namesIn('layers')).toHaveLength(2)
      collect(none.layout)
      expect([...namesIn('layers'), ...namesIn('merged'), ...namesIn('bundles')]).toEqual([])
    })
  }
)
