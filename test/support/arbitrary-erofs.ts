/** Trees for images, as the entries of one layer: with names, attributes and sizes that the format finds hard. */
import fc, { type Arbitrary } from 'fast-check'
import type { StagedEntry } from '../../src/plan/staged-entry.ts'
import type { Timespec, Xattr } from '../../src/tar/entry.ts'
import { byteString } from './arbitrary-entry.ts'
import { staged, type LayerMember } from './erofs-image.ts'

const name = fc.oneof(
  fc.constantFrom('!a', '-x', '.-x', '..a', 'a', 'b', 'z'.repeat(255), '\xff', 'é'),
  byteString({ minLength: 1, maxLength: 9 }).map((text) => `n${text.replace(/[/\0]/g, '_')}`)
)

const time: Arbitrary<Timespec> = fc.record({
  sec: fc.oneof(
    fc.constantFrom(0, -1, 2 ** 31, 2 ** 32),
    fc.integer({ min: -(2 ** 36), max: 2 ** 36 })
  ),
  nsec: fc.nat({ max: 999_999_999 })
})

const xattr: Arbitrary<Xattr> = fc.tuple(
  fc
    .tuple(
      fc.constantFrom('user.', 'trusted.', 'security.'),
      byteString({ minLength: 1, maxLength: 40 })
    )
    .map(([prefix, rest]) => prefix + rest.replaceAll('\0', '_')),
  fc.oneof(byteString({ maxLength: 60 }), fc.constantFrom('v'.repeat(3900), 'w'.repeat(4100)))
)

const id = fc.oneof(fc.constantFrom(0, 0xffff, 0x10000, 0xffff_fffe), fc.nat({ max: 2 ** 32 - 2 }))

const metadata = fc.record({
  mode: fc.nat({ max: 0o7777 }),
  uid: id,
  gid: id,
  mtime: time,
  xattrs: fc.uniqueArray(xattr, { maxLength: 3, selector: ([key]) => key })
})

const size = fc.oneof(fc.constantFrom(0, 1, 4095, 4096, 4097, 20_000), fc.nat({ max: 9000 }))

const object: Arbitrary<Partial<StagedEntry> & Pick<StagedEntry, 'type'>> = fc.oneof(
  fc.record({ type: fc.constant('file' as const), size }),
  fc.record({
    type: fc.constant('symlink' as const),
    link: fc
      .oneof(
        fc.constantFrom('/x', 'l'.repeat(4031), 'm'.repeat(4095)),
        byteString({ minLength: 1, maxLength: 30 })
      )
      .map((link) => link.replaceAll('\0', '_'))
  }),
  fc.record({
    type: fc.constantFrom('char' as const, 'block' as const),
    devMajor: fc.nat({ max: 0xfff }),
    devMinor: fc.nat({ max: 0xf_ffff })
  }),
  fc.record({ type: fc.constant('fifo' as const) })
)

/** Entries of a tree without marks: each path comes once, directories before what is in them. */
export const treeMembers: Arbitrary<LayerMember[]> = fc
  .array(
    fc.record({
      name,
      /** Which of the directories so far it is in. */
      parent: fc.nat(),
      kind: fc.constantFrom('directory', 'object', 'object', 'hardlink'),
      metadata,
      object,
      /** Of a hard link: which of the objects so far. */
      target: fc.nat(),
      seed: fc.nat({ max: 255 })
    }),
    { maxLength: 40 }
  )
  .map((steps) => {
    const directories = ['']
    const objects: string[] = []
    const paths = new Set<string>()
    return steps.flatMap((step): LayerMember[] => {
      const parent = directories[step.parent % directories.length]!
      const path = parent === '' ? step.name : `${parent}/${step.name}`
      if (paths.has(path)) return []
      paths.add(path)
      if (step.kind === 'directory') {
        directories.push(path)
        return [{ entry: staged('directory', path, step.metadata) }]
      }
      if (step.kind === 'hardlink' && objects.length > 0) {
        const link = objects[step.target % objects.length]!
        return [{ entry: staged('hardlink', path, { link }) }]
      }
      objects.push(path)
      const entry = staged(step.object.type, path, { ...step.metadata, ...step.object })
      return [entry.type === 'file' ? { entry, body: bodyOf(entry.size, step.seed) } : { entry }]
    })
  })

function bodyOf(size: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => seed + i * 7)
}
