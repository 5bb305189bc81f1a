/** Objects of a tree that may have changed against what their bundle remembers. */
import type { Memory } from '../../bundle/bundle.ts'
import { fileStat } from '../../bundle/file-stat.ts'
import type { FingerprintRecord } from '../../bundle/fingerprint-record.ts'
import type { ByteString } from '../../bytes.ts'
import { compareEntries, type Delta, type Modified } from '../../mtree/compare.ts'
import { UMOCI_KEYWORDS, type ManifestEntry } from '../../mtree/entry.ts'
import { mtreeTypes, toManifestEntry } from '../../rootfs/mtree-entry.ts'
import type { ScannedObject } from '../../rootfs/scanned-object.ts'
import type { ScannedTree } from '../../rootfs/scanned-tree.ts'
import { XattrReader } from '../../rootfs/tree-xattrs.ts'
import type { Sifted } from './sift.ts'

/** A file that only its content can decide about. */
interface Undecided {
  kind: 'undecided'
  path: ByteString
  /** Bytes. */
  size: number
  /** Its entry in the manifest. */
  index: number
}

export type Finding = Delta | Undecided

/** What became of the suspects. @throws SYSCALL_FAILED */
export function examine(
  rootfs: number,
  tree: ScannedTree,
  { suspects, match }: Sifted,
  memory: Memory
): Finding[] {
  const xattrs = new XattrReader(rootfs)
  try {
    const isCopy = wasCopied(tree.root, match.indexOf(tree.root), memory)
    return suspects.flatMap((object): Finding[] => {
      const index = match.indexOf(object)
      if (index === undefined) return [extra(object)]
      const entry = toManifestEntry(object, xattrs.listed(object))
      const known = { entry: memory.entries.entry(index), record: memory.record(index) }
      const delta = compareObject(object, entry, known, isCopy)
      if (delta !== undefined) return [delta]
      return isFile(entry) ? [{ kind: 'undecided', path: entry.path, size: entry.size, index }] : []
    })
  } finally {
    xattrs.release()
  }
}

/** A copy has its root elsewhere. */
function wasCopied({ status }: ScannedObject, index: number | undefined, memory: Memory): boolean {
  const record = index === undefined ? undefined : memory.record(index)
  return memory.device !== status.device || record?.inode !== status.inode
}

function extra({ path, type }: ScannedObject): Delta {
  return { kind: 'extra', path, after: AFTER[type] }
}

/** One for all: a whole new tree is nothing but these. */
const AFTER = Object.fromEntries(
  Object.entries(mtreeTypes).map(([type, mtreeType]) => [type, { type: mtreeType }])
) as Readonly<Record<ScannedObject['type'], { type: ManifestEntry['type'] }>>

interface Known {
  entry: ManifestEntry
  record: FingerprintRecord | undefined
}

function isFile(entry: ManifestEntry): entry is ManifestEntry & { size: number } {
  return entry.type === 'file'
}

/** Undefined: nothing but the content can have changed. */
function compareObject(
  object: ScannedObject,
  entry: ManifestEntry,
  known: Known,
  isCopy: boolean
): Modified | undefined {
  return (
    compareEntries(known.entry, entry, keywordsFor(known.entry, entry)) ??
    compareRecord(object, known, isCopy)
  )
}

const CHEAP_KEYWORDS = UMOCI_KEYWORDS.filter((keyword) => keyword !== 'sha256digest')

/** Size and link count of a directory are the file system's business: no layer holds them, a copy changes them. */
const DIRECTORY_KEYWORDS = CHEAP_KEYWORDS.filter(
  (keyword) => keyword !== 'size' && keyword !== 'nlink'
)

function keywordsFor(before: ManifestEntry, after: ManifestEntry): readonly string[] {
  const isDirectory = before.type === 'dir' && after.type === 'dir'
  return isDirectory ? DIRECTORY_KEYWORDS : CHEAP_KEYWORDS
}

/** Device numbers, attributes of links, fractions of a second: what the manifest's keywords do not hold. */
function compareRecord(
  object: ScannedObject,
  { entry: before, record }: Known,
  isCopy: boolean
): Modified | undefined {
  if (record === undefined) return undefined
  const { type } = object
  const { mtimeNsec, size } = record
  const stat = fileStat(object.status, object.unlisted)
  if (type !== 'directory' && size !== stat.size)
    return modified(before, object, type === 'file' ? 'size' : 'device or xattr', size, stat.size)
  const now = stat.mtime.nsec
  if (mtimeNsec === now || (isCopy && isCut(mtimeNsec, now))) return undefined
  return modified(before, object, 'time', mtimeNsec, now)
}

/** Only digits were lost, in a program or file system that keeps fewer of a time: nobody changed it. */
function isCut(before: number, now: number): boolean {
  return [1e9, 1e6, 1e3, 1e2].some((unit) => now === before - (before % unit))
}

export function modified(
  before: ManifestEntry,
  { path, type }: ScannedObject,
  keyword: string,
  was: number | string,
  is: number | string
): Modified {
  const changes = [{ keyword, before: String(was), after: String(is) }]
  return { kind: 'modified', path, before, after: AFTER[type], changes }
}

/** All else being equal, the digest decides. Undefined: nothing changed. */
export function contentDelta(
  { index }: Undecided,
  { entries }: Memory,
  sha256: string
): Modified | undefined {
  const before = entries.entry(index)
  return compareEntries(before, { ...before, sha256 }, ['sha256digest'])
}
