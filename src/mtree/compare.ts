/** The differences between two tree manifests. */
import { compareBytes, display, toBuffer, type ByteString } from '../bytes.ts'
import { OciUnpackError } from '../errors.ts'
import type { Timespec, Xattr } from '../tar/entry.ts'
import { formatMode, UMOCI_KEYWORDS, type MtreeEntry } from './entry.ts'

/** One keyword that differs, with its values as a tree manifest shows them; undefined: missing. */
interface KeywordChange {
  /** Canonical; for an xattr `xattr.NAME`, NAME as bytes. */
  keyword: string
  before: string | undefined
  after: string | undefined
}

/** What every delta says about an object. A whole entry for each would keep a new tree in memory twice. */
type Typed = Pick<MtreeEntry, 'type'>

/** What became of one path. */
export type Delta =
  | { kind: 'extra'; path: ByteString; after: Typed }
  | { kind: 'missing'; path: ByteString; before: Typed }
  /** With at least one change. */
  | {
      kind: 'modified'
      path: ByteString
      before: Typed
      after: Typed
      changes: readonly KeywordChange[]
    }

/**
 * What became of the tree `before`, sorted by the bytes of paths. A keyword counts as changed if the values differ or
 * only one side has it, as in go-mtree. Keywords that are not listed are ignored.
 * @throws MTREE_INVALID if one side lists a path twice
 */
export function compareTreeManifests(
  before: Iterable<MtreeEntry>,
  after: Iterable<MtreeEntry>,
  keywords: Iterable<string> = UMOCI_KEYWORDS
): Delta[] {
  const selected = [...keywords]
  const missing = byPath(before)
  const deltas: Delta[] = []
  for (const [path, entry] of byPath(after)) {
    const old = missing.get(path)
    missing.delete(path)
    if (old === entry) continue
    const delta = old === undefined ? extra(entry) : compareEntries(old, entry, selected)
    if (delta !== undefined) deltas.push(delta)
  }
  for (const [path, entry] of missing) deltas.push({ kind: 'missing', path, before: entry })
  return deltas.sort((a, b) => compareBytes(a.path, b.path))
}

function byPath(entries: Iterable<MtreeEntry>): Map<ByteString, MtreeEntry> {
  const map = new Map<ByteString, MtreeEntry>()
  for (const entry of entries) {
    if (map.has(entry.path)) throw listedTwice(entry.path)
    map.set(entry.path, entry)
  }
  return map
}

function extra(after: MtreeEntry): Delta {
  return { kind: 'extra', path: after.path, after }
}

/** How one path changed; undefined: not in these keywords. */
export function compareEntries(
  before: MtreeEntry,
  after: MtreeEntry,
  keywords: readonly string[] = UMOCI_KEYWORDS
): Delta | undefined {
  const changes: KeywordChange[] = []
  for (const keyword of keywords) {
    if (keyword === 'xattr') changes.push(...xattrChanges(before.xattrs, after.xattrs))
    else if (valueOf(keyword, before) !== valueOf(keyword, after)) {
      changes.push({ keyword, before: show(keyword, before), after: show(keyword, after) })
    }
  }
  if (changes.length === 0) return undefined
  return { kind: 'modified', path: after.path, before, after, changes }
}

function valueOf(keyword: string, entry: MtreeEntry): string | number | undefined {
  switch (keyword) {
    case 'size':
    case 'type':
    case 'uid':
    case 'gid':
    case 'mode':
    case 'link':
    case 'nlink':
      return entry[keyword]
    case 'tar_time':
      return entry.mtimeSec
    case 'sha256digest':
      return entry.sha256
    case 'time':
      return entry.time && formatTime(entry.time)
    default:
      return entry.other?.get(keyword)
  }
}

function show(keyword: string, entry: MtreeEntry): string | undefined {
  const value = valueOf(keyword, entry)
  if (keyword === 'mode' && entry.mode !== undefined) return formatMode(entry.mode)
  return keyword === 'tar_time' && value !== undefined ? `${value}.000000000` : value?.toString()
}

function formatTime({ sec, nsec }: Timespec): string {
  return `${sec}.${String(nsec).padStart(9, '0')}`
}

const NONE: readonly KeywordChange[] = []

/** Compared by name: the order in which a file system lists xattrs has no meaning. */
function xattrChanges(before: readonly Xattr[], after: readonly Xattr[]): readonly KeywordChange[] {
  if (before.length === 0 && after.length === 0) return NONE
  const old = new Map(before)
  const now = new Map(after)
  const names = [...new Set([...old.keys(), ...now.keys()])].sort(compareBytes)
  return names
    .filter((name) => old.get(name) !== now.get(name))
    .map((name) => ({
      keyword: `xattr.${name}`,
      before: base64(old.get(name)),
      after: base64(now.get(name))
    }))
}

function base64(value: ByteString | undefined): string | undefined {
  return value === undefined ? undefined : toBuffer(value).toString('base64')
}

function listedTwice(path: ByteString): OciUnpackError {
  return new OciUnpackError('MTREE_INVALID', 'The tree manifest lists a path twice.', {
    facts: { path: display(path) },
    hint: 'The tree manifest was damaged or edited. Restore it, or unpack the image again.'
  })
}
