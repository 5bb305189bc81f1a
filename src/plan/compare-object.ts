/** Whether one object changed since it was remembered, and what changed. Pure. */
import { compareEntries, type Delta } from '../mtree/compare.ts'
import { UMOCI_KEYWORDS, type MtreeEntry } from '../mtree/entry.ts'
import { MTREE_TYPE, type FingerprintRecord, type SeenObject } from './seen-tree.ts'

/** Compares everything that a tree manifest lists except the content. Undefined: none of it changed. */
export function compareListed(
  before: MtreeEntry,
  after: MtreeEntry,
  isRootless: boolean
): Delta | undefined {
  const isDirectory = before.type === 'dir' && after.type === 'dir'
  const keywords = isDirectory ? DIRECTORY_KEYWORDS : CHEAP_KEYWORDS
  return compareEntries(before, after, isRootless ? keywords.filter(isNoOwner) : keywords)
}

function isNoOwner(keyword: string): boolean {
  return keyword !== 'uid' && keyword !== 'gid'
}

const CHEAP_KEYWORDS = UMOCI_KEYWORDS.filter((keyword) => keyword !== 'sha256digest')

/**
 * The size and link count of a directory depend on the file system: layers do not record them, and copies change them.
 */
const DIRECTORY_KEYWORDS = CHEAP_KEYWORDS.filter(
  (keyword) => keyword !== 'size' && keyword !== 'nlink'
)

/**
 * Compares what the keywords do not cover: device numbers, attributes of links, fractions of a second. Undefined: only
 * the content can have changed.
 * @param isCopy whether the tree is a copy of the one that was remembered
 */
export function compareRecords(
  before: MtreeEntry,
  object: SeenObject,
  was: FingerprintRecord,
  is: FingerprintRecord,
  isCopy: boolean
): Delta | undefined {
  const { type } = object
  if (type !== 'directory' && was.size !== is.size)
    return modified(before, object, type === 'file' ? 'size' : 'device or xattr', was.size, is.size)
  if (was.mtimeNsec === is.mtimeNsec || (isCopy && isCut(was.mtimeNsec, is.mtimeNsec)))
    return undefined
  return modified(before, object, 'time', was.mtimeNsec, is.mtimeNsec)
}

/** Only digits were lost, in a program or file system with less precise times: the time was not changed. */
function isCut(before: number, now: number): boolean {
  return [1e9, 1e6, 1e3, 1e2].some((unit) => now === before - (before % unit))
}

/**
 * Compares the digests, when everything else is equal. Undefined: nothing changed.
 * @param before with the digest that is remembered; if nobody knows it, the content counts as changed
 */
export function compareContent(before: MtreeEntry, sha256: string): Delta | undefined {
  return compareEntries(before, { ...before, sha256 }, ['sha256digest'])
}

/** A change that no keyword of the tree manifest shows. */
export function modified(
  before: MtreeEntry,
  { path, type }: SeenObject,
  keyword: string,
  was: number | string,
  is: number | string
): Delta {
  const changes = [{ keyword, before: String(was), after: String(is) }]
  return { kind: 'modified', path, before, after: AFTER[type], changes }
}

/** An object of which nothing is remembered. */
export function added({ path, type }: SeenObject): Delta {
  return { kind: 'extra', path, after: AFTER[type] }
}

/** Shared objects, because a whole new tree consists of nothing else. */
const AFTER = Object.fromEntries(
  Object.entries(MTREE_TYPE).map(([type, mtreeType]) => [type, { type: mtreeType }])
) as Readonly<Record<SeenObject['type'], Pick<MtreeEntry, 'type'>>>
