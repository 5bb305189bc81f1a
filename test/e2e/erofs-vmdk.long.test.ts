/** Disks for virtual machines that are large: the Debian image, and one with many layers. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compareTrees } from '../support/compare-trees.ts'
import { withErofs } from '../support/erofs-mount.ts'
import { buildImage } from '../support/image-builder.ts'
import { longTests, needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { directory, file, tar } from '../support/tar-builder.ts'
import { withTemporary } from '../support/temporary.ts'
import { ociUnpackOk } from './cli.ts'
import { DEBIAN_NEEDS, debianLayout } from './debian-image.ts'

const many = Array.from({ length: 120 }, (_, i) =>
  tar(directory('d/', { mtime: i }), file(`d/${i}`, String(i)), file('all', 'x'.repeat(i * 100)))
)

describe.runIf(longTests() && needs(...DEBIAN_NEEDS, 'qemu-img', 'loop', 'erofs'))('a disk', () => {
  test.each(['devices', 'linear'])('of the Debian image (%s)', (form) => {
    withTemporary((base) => expectSameTree(base, `${debianLayout()}:debian`, form))
  })

  test.each(['devices', 'linear'])('of 120 layers (%s)', (form) => {
    withTemporary((base) => {
      const { reference } = buildImage(join(base, 'layout'), { layers: many })
      expectSameTree(base, reference, form)
    })
  })
})

/** Mounted as one device, the disk is what unpack makes. */
function expectSameTree(base: string, image: string, form: string): void {
  const [images, raw, tree, at] = ['images', 'raw', 'tree', 'at'].map((name) => join(base, name))
  ociUnpackOk('erofs', 'make', '--image', image, `--vmdk=${form}`, images!)
  ok('qemu-img', 'convert', '-O', 'raw', join(images!, 'disk.vmdk'), raw!)
  ociUnpackOk('raw', 'unpack', '--image', image, tree!)
  mkdirSync(at!)
  withErofs(at!, [raw!], (mounted) => expect(compareTrees(mounted, tree!)).toEqual([]))
}
