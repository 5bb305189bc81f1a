/**
 * What changed in a bundle since it was unpacked: compares its tree with its tree manifest. Files whose fingerprint is
 * unchanged are not read; of the others, only those are hashed that nothing else can decide. `plan/tree-changes.ts`
 * decides, and this looks at the disk for it.
 */
import type { Memory } from '../../bundle/bundle.ts'
import { fileStat } from '../../bundle/file-stat.ts'
import type { ByteString } from '../../bytes.ts'
import type { Delta } from '../../mtree/compare.ts'
import type { EntryList } from '../../mtree/entry-list.ts'
import { maskDeltas, maskOf, simplifyDeltas, withoutSockets } from '../../mtree/filter.ts'
import type { IdMaps } from '../../plan/policy/exact.ts'
import type { TreeMemory } from '../../plan/seen-tree.ts'
import { TreeChanges } from '../../plan/tree-changes.ts'
import { toMtreeEntry } from '../../rootfs/mtree-entry.ts'
import type { ScannedObject } from '../../rootfs/scanned-object.ts'
import type { ScannedTree } from '../../rootfs/scanned-tree.ts'
import { XattrReader } from '../../rootfs/tree-xattrs.ts'
import type { Ledger } from '../../sys/ledger.ts'
import type { HashFiles } from '../tree/hash-files.ts'
import { siftTree } from './sift-tree.ts'

/** Gives the SHA-256 (hex) of files of the image that the bundle was made from, by path, as far as it can be known. */
export type ImageDigests = (
  paths: readonly ByteString[]
) => Promise<ReadonlyMap<ByteString, string>>

export interface Changes {
  /** Sorted by path, without what a mask covers or another delta implies. */
  deltas: readonly Delta[]
  /** The same, with those that another delta implies: everything that was in a deleted directory. */
  allDeltas: readonly Delta[]
  tree: ScannedTree
  /** Whether the whole root file system was looked at. */
  isWhole: boolean
  /** What the bundle's tree manifest listed. */
  entries: EntryList
  /** The entry, as an index, of an object that certainly has not changed. */
  remembered: (object: ScannedObject) => number | undefined
  /** Every object that has several names, once for each name; no directories. */
  linked: readonly ScannedObject[]
  /** SHA-256 (hex) of the files that were read, by path. */
  digests: Map<ByteString, string>
  /** Whether changes at a path are left out. */
  isMasked: (path: ByteString) => boolean
  /** New sockets, which no image can hold. */
  sockets: readonly ByteString[]
}

export interface ChangeRules {
  masks: readonly ByteString[]
  hashFiles: HashFiles
  /** For a lazy tree manifest. */
  imageDigests: ImageDigests | undefined
  /** How the bundle states owners. */
  outside: IdMaps
  isRootless: boolean
  /** Whether a path was looked at, if only a part of the tree was: other paths are not reported as missing. */
  isLooked: ((path: ByteString) => boolean) | undefined
  /** Notes the modes of what has to be opened up. */
  ledger?: Ledger | undefined
}

/** @param rootfs descriptor of the directory that was scanned as `tree` @throws SYSCALL_FAILED, FILE_CHANGED */
export async function findChanges(
  rootfs: number,
  tree: ScannedTree,
  memory: Memory,
  { masks, hashFiles, imageDigests, outside, isRootless, isLooked, ledger }: ChangeRules
): Promise<Changes> {
  const search = new TreeChanges(tree, { ...asRemembered(tree, memory), isRootless })
  const xattrs = new XattrReader(rootfs, outside, ledger)
  lookAtSuspects(xattrs, search, outside)
  const digests = await hashFiles(search.undecided)
  const unstated = search.undecided.filter(({ isStated }) => !isStated)
  search.settle(digests, await digestsIn(imageDigests, unstated))
  const deltas = maskDeltas(search.deltas(isLooked), masks)
  const allDeltas = withoutSockets(deltas)
  return {
    deltas: simplifyDeltas(allDeltas),
    allDeltas,
    tree,
    isWhole: isLooked === undefined,
    entries: memory.entries,
    remembered: search.remembered(),
    linked: search.linked,
    digests: new Map(search.undecided.map(({ path }, index) => [path, digests[index]!])),
    isMasked: maskOf(masks),
    sockets: deltas.filter(isSocket).map(({ path }) => path)
  }
}

/** How many files are hashed before a look at the result. */
const BATCH = 256

/** Whether there is any change at all; stops at the first one. Of the rules, masks do not count. */
export async function isChanged(
  rootfs: number,
  tree: ScannedTree,
  memory: Memory,
  { hashFiles, imageDigests, outside, isRootless, isLooked, ledger }: ChangeRules
): Promise<boolean> {
  const search = new TreeChanges(tree, { ...asRemembered(tree, memory), isRootless })
  const isFound = (): boolean => withoutSockets(search.deltas(isLooked)).length > 0
  if (isFound()) return true
  const xattrs = new XattrReader(rootfs, outside, ledger)
  lookAtSuspects(xattrs, search, outside, (delta) => !isSocket(delta))
  // an image is read once for all files
  const size = imageDigests === undefined ? BATCH : search.undecided.length
  for (let from = 0; from < search.undecided.length && !isFound(); from += size) {
    const files = search.undecided.slice(from, from + size)
    const digests = await hashFiles(files)
    const unstated = files.filter(({ isStated }) => !isStated)
    search.settle(digests, await digestsIn(imageDigests, unstated), files)
  }
  return isFound()
}

async function digestsIn(
  imageDigests: ImageDigests | undefined,
  files: readonly { path: ByteString }[]
): Promise<ReadonlyMap<ByteString, string>> {
  if (imageDigests === undefined || files.length === 0) return new Map()
  return imageDigests(files.map(({ path }) => path))
}

/** Attributes are read only for these, since each costs calls. */
function lookAtSuspects(
  xattrs: XattrReader,
  search: TreeChanges<ScannedObject>,
  outside: IdMaps,
  isEnough: (found: Delta) => boolean = () => false
): void {
  try {
    for (const object of search.suspects) {
      search.compare(object, () => toMtreeEntry(object, xattrs.listed(object), outside))
      if (search.found.length > 0 && isEnough(search.found.at(-1)!)) return
    }
  } finally {
    xattrs.release()
  }
}

/** The memory of a bundle, for objects as they are scanned. */
function asRemembered(tree: ScannedTree, memory: Memory): TreeMemory<ScannedObject> {
  return {
    entries: memory.entries,
    device: memory.device,
    sift: () => siftTree(tree, memory),
    isUnchanged: (index, { status, unlisted }) =>
      memory.isUnchanged(index, fileStat(status, unlisted)),
    record: (index) => memory.record(index),
    recordOf({ status, unlisted }) {
      const { size, mtime } = fileStat(status, unlisted)
      return { inode: status.inode, size, mtimeNsec: mtime.nsec }
    }
  }
}

function isSocket(delta: Delta): boolean {
  return delta.kind !== 'missing' && delta.after.type === 'socket'
}
