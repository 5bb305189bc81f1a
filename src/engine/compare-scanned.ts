/** One object of a tree as it is now against what its bundle remembers. */
import type { Memory, Remembered } from '../bundle/bundle.ts'
import { fileStat } from '../bundle/file-stat.ts'
import { compareEntries, type Delta, type Modified } from '../mtree/compare.ts'
import { UMOCI_KEYWORDS, type ManifestEntry } from '../mtree/entry.ts'
import type { Scanned } from '../rootfs/scan.ts'

/** A delta, or a file that only its content can decide about. */
export type Finding = Delta | { kind: 'undecided'; scanned: Scanned; before: ManifestEntry }

/** Undefined: nothing changed. @param isCopy the tree was copied since it was remembered */
export function compareScanned(
  scanned: Scanned,
  memory: Memory,
  isCopy: boolean
): Finding | undefined {
  const { entry } = scanned
  const known = memory.recall(entry.path)
  if (known === undefined) return { kind: 'extra', path: entry.path, after: entry }
  const delta =
    compareEntries(known.entry, entry, keywordsFor(known.entry, entry)) ??
    compareRecord(scanned, known, isCopy)
  if (delta !== undefined || entry.type !== 'file') return delta
  return { kind: 'undecided', scanned, before: known.entry }
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
  { entry, status, unlisted }: Scanned,
  { entry: before, record }: Remembered,
  isCopy: boolean
): Modified | undefined {
  if (record === undefined) return undefined
  const { mtimeNsec, size } = record
  const stat = fileStat(status, unlisted)
  if (entry.type !== 'dir' && size !== stat.size)
    return modified(
      before,
      entry,
      entry.type === 'file' ? 'size' : 'device or xattr',
      size,
      stat.size
    )
  const now = stat.mtime.nsec
  if (mtimeNsec === now || (isCopy && isCut(mtimeNsec, now))) return undefined
  return modified(before, entry, 'time', mtimeNsec, now)
}

/** Only digits were lost, in a program or file system that keeps fewer of a time: nobody changed it. */
function isCut(before: number, now: number): boolean {
  return [1e9, 1e6, 1e3, 1e2].some((unit) => now === before - (before % unit))
}

export function modified(
  before: ManifestEntry,
  after: ManifestEntry,
  keyword: string,
  was: number | string,
  is: number | string
): Modified {
  const changes = [{ keyword, before: String(was), after: String(is) }]
  return { kind: 'modified', path: after.path, before, after, changes }
}
