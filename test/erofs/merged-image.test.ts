import fc from 'fast-check'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { treeMembers } from '../support/arbitrary-erofs.ts'
import { fileMember, staged } from '../support/erofs-image.ts'
import { buildImage } from '../support/erofs-merge.ts'
import { MOUNT_NEEDS, readMounted, withErofs } from '../support/erofs-mount.ts'
import { oddTree } from '../support/erofs-odd-tree.ts'
import { expectedTree, readAll } from '../support/erofs-read.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { withTemporary } from '../support/temporary.ts'

/** Three layers: the odd tree, changes to it with links across layers, and one more file for each. */
const layers = [
  oddTree(),
  [
    { entry: staged('whiteout', 'many') },
    { entry: staged('opaque', 'd') },
    fileMember('d/new', Buffer.from('new')),
    { entry: staged('hardlink', 'd/from-below', { link: 'xattrs' }) },
    { entry: staged('hardlink', 'hole', { link: 'sparse/large-hole' }) }
  ],
  [fileMember('d/newer', Buffer.alloc(9000, 7)), { entry: staged('char', 'null', { devMinor: 0 }) }]
]

/** What the image must contain, worked out by hand. */
function expected(): ReturnType<typeof expectedTree> {
  const [below, middle, top] = layers.map((layer) => [...layer])
  const kept = below!.filter(
    ({ entry }) => !/^(many|d)(\/|$)/.test(entry.path) || entry.path === 'd'
  )
  // the only name of this file that is left
  const z = oddTree().find(({ entry }) => entry.path === 'd/more')!
  const named = kept.map((member) =>
    member.entry.path === 'z' ? { ...z, entry: { ...z.entry, path: 'z' } } : member
  )
  const brought = middle!.filter(({ entry: { type } }) => type !== 'whiteout' && type !== 'opaque')
  return expectedTree([...named, ...brought, ...top!])
}

const concatenated = (form: 'devices' | 'linear'): Buffer => {
  const { merged, layers: images } = buildImage(layers, form)
  return Buffer.concat([merged, ...images])
}

test('several devices, one after the other as one, and the form for old kernels say the same', () => {
  const { merged, layers: images } = buildImage(layers, 'devices')
  expect(readAll(merged, ...images)).toEqual(expected())
  expect(readAll(concatenated('devices'))).toEqual(expected())
  expect(readAll(concatenated('linear'))).toEqual(expected())
})

test('any layers', () => {
  fc.assert(
    fc.property(fc.array(treeMembers, { minLength: 1, maxLength: 3 }), (trees) => {
      const below = trees.map((members, i) =>
        members.map(({ entry, ...rest }) => ({
          entry: {
            ...entry,
            path: `l${i}/${entry.path}`,
            link: entry.type === 'hardlink' ? `l${i}/${entry.link}` : entry.link
          },
          ...rest
        }))
      )
      const { merged, layers: images } = buildImage(below, 'devices')
      const wanted = expectedTree(below.flat())
      expect(readAll(merged, ...images)).toEqual(wanted)
      expect(readAll(Buffer.concat([merged, ...images]))).toEqual(wanted)
    }),
    { numRuns: 30 }
  )
})

test('a table of devices that needs more than one block', () => {
  const many = Array.from({ length: 120 }, (_, i) => [
    fileMember(`f${i}`, Buffer.from(`body ${i}`))
  ])
  const { merged, layers: images } = buildImage(many, 'devices')
  expect(readAll(merged, ...images)).toEqual(expectedTree(many.flat()))
  expect(readAll(Buffer.concat([merged, ...images]))).toEqual(expectedTree(many.flat()))
})

test.runIf(needs(...MOUNT_NEEDS))('the kernel sees every field, on several devices', () => {
  withTemporary((directory) => {
    const { merged, layers: images } = buildImage(layers, 'devices')
    const files = [merged, ...images].map((bytes, i) => written(directory, `image-${i}`, bytes))
    withErofs(directory, files, (mounted) => expect(readMounted(mounted)).toEqual(expected()))
  })
})

test.runIf(needs(...MOUNT_NEEDS)).each(['devices', 'linear'] as const)(
  'the kernel sees every field, on one device (%s)',
  (form) => {
    withTemporary((directory) => {
      const file = written(directory, 'flat', concatenated(form))
      withErofs(directory, [file], (mounted) => expect(readMounted(mounted)).toEqual(expected()))
    })
  }
)

test.runIf(needs('fsck.erofs'))('fsck.erofs finds no fault', () => {
  withTemporary((directory) => {
    const { merged, layers: images } = buildImage(layers, 'devices')
    const file = written(directory, 'merged', merged)
    const devices = images.map((image, i) => `--device=${written(directory, `layer-${i}`, image)}`)
    ok('fsck.erofs', '--extract', ...devices, file)
    ok('fsck.erofs', '--extract', written(directory, 'linear', concatenated('linear')))
  })
})

function written(directory: string, name: string, bytes: Buffer): string {
  const file = join(directory, name)
  writeFileSync(file, bytes)
  return file
}
