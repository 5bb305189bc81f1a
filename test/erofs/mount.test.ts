/** Images as fsck.erofs and the kernel see them. */
import { closeSync, fstatSync, openSync, readSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { MOUNT_NEEDS, readMounted, withErofs } from '../support/erofs-mount.ts'
import { buildLayer, staged } from '../support/erofs-image.ts'
import { oddTree } from '../support/erofs-odd-tree.ts'
import { expectedTree, readAll } from '../support/erofs-read.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { withTemporary } from '../support/temporary.ts'

const members = oddTree()
const { image } = buildLayer(members)

test('the odd tree is read again with every field', () => {
  expect(readAll(image)).toEqual(expectedTree(members))
})

test.runIf(needs('fsck.erofs'))('fsck.erofs finds no fault', () => {
  withTemporary((directory) => {
    const file = join(directory, 'layer.erofs')
    writeFileSync(file, image)
    ok('fsck.erofs', '--extract', file)
  })
})

test.runIf(needs(...MOUNT_NEEDS))('the kernel sees every field', () => {
  withTemporary((directory) => {
    const file = join(directory, 'layer.erofs')
    writeFileSync(file, image)
    withErofs(directory, [file], (mounted) => {
      expect(readMounted(mounted)).toEqual(expectedTree(members))
    })
  })
})

test.runIf(needs(...MOUNT_NEEDS))('the kernel reads large sparse files', () => {
  const size = 2 ** 32 + 1
  const extents = [3 * 2 ** 30 + 5, 3, size - 1, 1]
  const entry = staged('file', 'f', { size })
  const { image: sparse } = buildLayer([{ entry, body: Buffer.from('abcz'), extents }])
  withTemporary((directory) => {
    const file = join(directory, 'layer.erofs')
    writeFileSync(file, sparse)
    withErofs(directory, [file], (mounted) => {
      const fd = openSync(join(mounted, 'f'), 'r')
      const at = (position: number): string => {
        const bytes = Buffer.alloc(4)
        return bytes.toString('latin1', 0, readSync(fd, bytes, 0, 4, position))
      }
      expect(fstatSync(fd).size).toBe(size)
      expect([0, 3 * 2 ** 30 + 4, 3 * 2 ** 30 + 7, size - 1].map(at)).toEqual([
        '\0\0\0\0',
        '\0abc',
        'c\0\0\0',
        'z'
      ])
      closeSync(fd)
    })
  })
})
