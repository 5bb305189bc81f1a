/** Small trees of which everything is known, and what is remembered of them: made up, without a disk. */
import * as fc from 'fast-check'
import type { MtreeEntry } from '../../src/mtree/entry.ts'
import { listEntries } from '../../src/mtree/entry-list.ts'
import {
  MTREE_TYPE,
  NONE,
  type FingerprintRecord,
  type ObjectType,
  type SeenObject,
  type SeenTree,
  type TreeMemory
} from '../../src/plan/seen-tree.ts'

/** An object with all that can be known of it. */
export interface Known {
  path: string
  type: ObjectType
  mode: number
  size: number
  nlink: number
  inode: number
  content: string
  xattr: string
  mtimeNsec: number
  /** For devices and links: what no keyword holds. */
  extra: number
}

export type Tree = ReadonlyMap<string, Known>

export interface MemoryRules {
  /** Of entries that did not change: whether they are known to be as they were. */
  trusted: (index: number) => boolean
  copied: boolean
  /** As umoci's bundles: no fingerprints. */
  plain: boolean
}

export class SeenKnown implements SeenObject {
  readonly number: number
  readonly known: Known

  constructor(known: Known, number: number) {
    this.known = known
    this.number = number
  }

  get path(): string {
    return this.known.path
  }

  get type(): ObjectType {
    return this.known.type
  }

  get status(): SeenObject['status'] {
    const { type, nlink, inode } = this.known
    return { type, nlink, inode: BigInt(inode), device: 1 }
  }

  /** As a tree manifest lists it, without the content. */
  get entry(): MtreeEntry {
    return { ...entryOf(this.known), sha256: undefined }
  }
}

export class Seen implements SeenTree<SeenKnown> {
  private readonly objects: readonly SeenKnown[]

  constructor(tree: Tree) {
    this.objects = inOrder(tree).map((known, number) => new SeenKnown(known, number))
  }

  get size(): number {
    return this.objects.length
  }

  get root(): SeenKnown {
    return this.objects[0]!
  }

  inTreeManifestOrder(): readonly SeenKnown[] {
    return this.objects
  }

  find(path: string): SeenKnown | undefined {
    return this.objects.find((object) => object.path === path)
  }
}

export function remember(
  before: Tree,
  { trusted, copied, plain }: MemoryRules
): TreeMemory<SeenKnown> {
  const remembered = inOrder(before)
  const recordOf = ({ inode, size, extra, mtimeNsec }: Known): FingerprintRecord => {
    return { inode: BigInt(inode), size: size + extra, mtimeNsec }
  }
  const isUnchanged = (index: number, { known }: SeenKnown): boolean =>
    !plain && trusted(index) && equal(remembered[index], known)
  const indexes = new Map(remembered.map(({ path }, index) => [path, index]))
  return {
    entries: listEntries(remembered.map(entryOf)),
    device: plain ? undefined : copied ? 2 : 1,
    isUnchanged,
    /** Some of those that it could set aside. */
    sift: (tree) => {
      const objects = [...tree.inTreeManifestOrder()]
      const setAside = objects.map((object) => {
        const index = indexes.get(object.path)
        const isKnown = index !== undefined && index % 3 !== 0 && isUnchanged(index, object)
        return isKnown ? index : NONE
      })
      return {
        indexes: Int32Array.from(setAside),
        others: objects.filter((_, number) => setAside[number] === NONE),
        linked: objects.filter(({ status }) => status.type !== 'directory' && status.nlink > 1)
      }
    },
    record: (index) => (plain ? undefined : recordOf(remembered[index]!)),
    recordOf: ({ known }) => recordOf(known)
  }
}

export function equal(was: Known | undefined, is: Known): boolean {
  return JSON.stringify(was) === JSON.stringify(is)
}

/** Leaves first, then directories with what they hold, each by name: a tree of two levels. */
function inOrder(tree: Tree): Known[] {
  const all = [...tree.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
  const top = all.filter(({ path }) => path !== '.' && !path.includes('/'))
  const directories = top.filter(({ type }) => type === 'directory')
  return [
    ...all.filter(({ path }) => path === '.'),
    ...top.filter(({ type }) => type !== 'directory'),
    ...directories.flatMap((directory) => {
      const inside = all.filter(({ path }) => path.startsWith(`${directory.path}/`))
      const isDirectory = ({ type }: Known): boolean => type === 'directory'
      return [directory, ...inside.filter((it) => !isDirectory(it)), ...inside.filter(isDirectory)]
    })
  ]
}

export function entryOf({ path, type, mode, size, nlink, content, xattr }: Known): MtreeEntry {
  const known = { path, type, content } as Known
  return {
    path,
    type: MTREE_TYPE[type],
    size,
    uid: 0,
    gid: 0,
    mode,
    nlink,
    link: undefined,
    mtimeSec: 100,
    time: undefined,
    sha256: type === 'file' ? digest(known) : undefined,
    xattrs: type === 'file' || type === 'directory' ? [['user.a', xattr]] : [],
    other: undefined
  }
}

export function digest({ content }: Known): string {
  return content.repeat(64)
}

export function known(more: Partial<Known> = {}): Known {
  return {
    path: 'a',
    type: 'file',
    mode: 0o644,
    size: 3,
    nlink: 1,
    inode: 2,
    content: 'a',
    xattr: 'a',
    mtimeNsec: 5,
    extra: 0,
    ...more
  }
}

/** With its root, and directories for what has none. */
export function treeOf(list: readonly Known[]): Tree {
  const tree = new Map<string, Known>([['.', known({ path: '.', type: 'directory', inode: 1 })]])
  for (const each of list) {
    const [parent, name] = each.path.split('/')
    if (name !== undefined && tree.get(parent!)?.type !== 'directory')
      tree.set(parent!, known({ path: parent!, type: 'directory', inode: 90 }))
    tree.set(each.path, each)
  }
  for (const { path, type } of [...tree.values()])
    if (type !== 'directory')
      for (const below of [...tree.keys()]) if (below.startsWith(`${path}/`)) tree.delete(below)
  return tree
}

const paths = ['a', 'a-', 'b', 'c', 'a/x', 'a/y', 'b/x', 'b/y-', 'c/z']
const types: readonly ObjectType[] = [
  'file',
  'file',
  'file',
  'directory',
  'symlink',
  'char',
  'socket'
]
const anyKnown: fc.Arbitrary<Known> = fc
  .record({
    path: fc.constantFrom(...paths),
    type: fc.constantFrom(...types),
    mode: fc.constantFrom(0o644, 0o600),
    size: fc.constantFrom(3, 4),
    nlink: fc.constantFrom(1, 2),
    inode: fc.integer({ min: 2, max: 5 }),
    content: fc.constantFrom('a', 'b'),
    xattr: fc.constantFrom('a', 'b'),
    mtimeNsec: fc.constantFrom(0, 5, 123_456_789, 123_456_000),
    extra: fc.constantFrom(0, 8)
  })
  .map((object) => ({
    ...object,
    extra: object.type === 'file' || object.type === 'directory' ? 0 : object.extra
  }))

const change: fc.Arbitrary<(list: Known[]) => Known[]> = fc.oneof(
  anyKnown.map((object) => (list: Known[]) => [...list, object]),
  fc.nat().map((at) => (list: Known[]) => list.filter((_, index) => index !== at % list.length)),
  fc
    .tuple(
      fc.nat(),
      anyKnown,
      fc.constantFrom<keyof Known>(
        'mode',
        'size',
        'nlink',
        'inode',
        'content',
        'xattr',
        'mtimeNsec'
      )
    )
    .map(
      ([at, other, key]) =>
        (list: Known[]) =>
          list.map((each, index) =>
            index === at % list.length ? { ...each, [key]: other[key] } : each
          )
    )
)

/** A tree, and what a few edits made of it. */
export const twoTrees: fc.Arbitrary<[Tree, Tree]> = fc
  .tuple(fc.array(anyKnown, { maxLength: 8 }), fc.array(change, { maxLength: 4 }))
  .map(([list, edits]) => [treeOf(list), treeOf(edits.reduce((at, edit) => edit(at), list))])
