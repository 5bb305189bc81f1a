import fc from 'fast-check'
import { fromBuffer, type ByteString } from '../../src/bytes.ts'
import type { MtreeNode } from '../../src/mtree/entry.ts'
import type { Xattr } from '../../src/tar/entry.ts'

const id = fc.nat({ max: 0xffff_fffe })
const mode = fc.nat({ max: 0o7777 })

export const anyBytes: fc.Arbitrary<ByteString> = fc.uint8Array({ maxLength: 40 }).map(fromBuffer)

/** Any name a directory may hold, often one that a careless reader takes for something else. */
const fileName: fc.Arbitrary<ByteString> = fc
  .oneof(
    fc.uint8Array({ minLength: 1, maxLength: 20 }).map(fromBuffer),
    fc.constantFrom('#', '/set', 'a=b', '...', '\\', ' ', '\n', 'type=dir', 'a-b', 'a', 'b')
  )
  .map((name) => name.replace(/[/\0]/g, '_'))
  .filter((name) => name !== '.' && name !== '..')

const xattrs: fc.Arbitrary<Xattr[]> = fc.uniqueArray(
  fc.tuple(
    anyBytes.map((name) => `user.${name.replaceAll('\0', '')}`),
    anyBytes
  ),
  { selector: ([name]) => name, maxLength: 3 }
)

const common = {
  name: fileName,
  size: fc.maxSafeNat(),
  uid: fc.oneof(fc.constant(0), id),
  gid: fc.oneof(fc.constant(0), id),
  mode: fc.oneof(fc.constantFrom(0, 0o664, 0o755), mode),
  nlink: fc.integer({ min: 1, max: 9 }),
  mtimeSec: fc.integer({ min: -(2 ** 40), max: 2 ** 40 })
}

const sha256 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => {
  return Buffer.from(bytes).toString('hex')
})

const leaf: fc.Arbitrary<MtreeNode> = fc.oneof(
  fc.record({ ...common, type: fc.constant('file' as const), sha256, xattrs }),
  fc.record({
    ...common,
    type: fc.constant('link' as const),
    link: anyBytes.map((bytes) => `x${bytes}`)
  }),
  fc.record({ ...common, type: fc.constantFrom('fifo' as const, 'char', 'block', 'socket') })
)

const { node } = fc.letrec<{ node: MtreeNode; directory: MtreeNode }>((tie) => ({
  node: fc.oneof({ depthSize: 'small', withCrossShrink: true }, leaf, tie('directory')),
  directory: fc.record({
    ...common,
    type: fc.constant('dir' as const),
    xattrs,
    children: fc.uniqueArray(tie('node'), { selector: ({ name }) => name, maxLength: 5 })
  })
}))

/** A whole tree: a root directory with anything in it. */
export const tree: fc.Arbitrary<MtreeNode> = fc.record({
  ...common,
  name: fc.constant('.'),
  type: fc.constant('dir' as const),
  xattrs,
  children: fc.uniqueArray(node, { selector: ({ name }) => name, maxLength: 6 })
})
