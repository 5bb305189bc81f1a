/** Compares a directory with an mtree manifest and reports every difference, not only the first. */
import { fromBuffer, fromText, type ByteString } from '../bytes.ts'
import { withFacts } from '../errors.ts'
import { compareTreeManifests, type Delta } from '../mtree/compare.ts'
import { UMOCI_KEYWORDS, type MtreeEntry } from '../mtree/entry.ts'
import { maskOf } from '../mtree/filter.ts'
import { canonicalKeyword } from '../mtree/keyword-names.ts'
import { parseTreeManifest } from '../mtree/parse.ts'
import { toMtreeEntry } from '../rootfs/mtree-entry.ts'
import { XattrReader } from '../rootfs/tree-xattrs.ts'
import { fromNode } from '../sys/failure.ts'
import { close, openOperatorDirectory } from '../sys/files.ts'
import { readFile } from '../sys/read.ts'
import { asked } from './operation/asked.ts'
import { hasher } from './tree/hash-files.ts'
import { jobCount } from './edit/change-options.ts'
import type { HashFiles } from './tree/hash-files.ts'
import { toDiffEntry, type DiffEntry } from './diff.ts'
import {
  CHECKED_KEYWORDS,
  CONTROL_KEYWORDS,
  DiskValues,
  type Scanned
} from './changes/disk-values.ts'
import { scanTree } from './tree/scan-tree.ts'
import type { ThreadOptions } from './operation/threads.ts'
import { requireOptions } from './operation/required-options.ts'

export interface ValidateOptions {
  /** File that contains the tree manifest. */
  manifest: string
  /** Directory to compare. */
  path: string
  /**
   * Keywords to compare, by any of their names; default those that the tree manifest uses. `type` is always compared.
   */
  keywords?: readonly string[] | 'umoci'
  /** Additional keywords to compare. */
  addKeywords?: readonly string[]
  /** Processors that hash; default all. */
  jobs?: number
  signal?: AbortSignal
}

export interface Validation {
  /** Sorted by path. `added` means that the tree manifest does not list the path. */
  differences: readonly DiffEntry[]
  /** Requested keywords that cannot be compared here. */
  unchecked: readonly string[]
}

/**
 * Compares a directory with an mtree(5) manifest. For each path, the values in the manifest are compared; extended
 * attributes that it does not list are differences. `optional` paths may be absent, `nochange` ones only need to exist,
 * and the content of an `ignore`d directory may be anything.
 * @throws MTREE_INVALID, SYSCALL_FAILED, FILE_CHANGED
 */
export async function validateTree(options: ValidateOptions): Promise<Validation> {
  requireOptions(options, { manifest: 'text', path: 'text' })
  return asked({}, () => compare(options))
}

async function compare(options: ValidateOptions): Promise<Validation> {
  const { entries, keywords } = readManifest(options.manifest)
  const selected = selectKeywords(options, keywords)
  const root = openOperatorDirectory(fromText(options.path))
  try {
    const threads = { jobs: jobCount(options.jobs), signal: options.signal }
    const scanned = await scanAll(root, threads)
    const after = await describeAsStated(entries, scanned, new DiskValues(root, selected), {
      selected,
      hashFiles: hasher(root, threads)
    })
    const deltas = compareTreeManifests(entries, after, selected)
    return {
      differences: allowed(deltas, entries).map(toDiffEntry),
      unchecked: selected.filter((keyword) => !isComparable(keyword, entries))
    }
  } finally {
    close(root)
  }
}

function readManifest(file: string): ReturnType<typeof parseTreeManifest> {
  try {
    return parseTreeManifest(fromBuffer(readFile(file)))
  } catch (error) {
    throw withFacts(fromNode(error), { file })
  }
}

function selectKeywords(
  { keywords, addKeywords = [] }: ValidateOptions,
  used: ReadonlySet<string>
): string[] {
  const chosen = keywords === 'umoci' ? UMOCI_KEYWORDS : (keywords ?? used)
  return [...new Set(['type', ...[...chosen, ...addKeywords].map(canonicalKeyword)])]
}

/** `flags=none` claims nothing: NetBSD's mtree writes it where there are no such flags. */
function isComparable(keyword: string, entries: readonly MtreeEntry[]): boolean {
  if (CHECKED_KEYWORDS.has(keyword) || CONTROL_KEYWORDS.has(keyword)) return true
  return (
    keyword === 'flags' && entries.every(({ other }) => (other?.get('flags') ?? 'none') === 'none')
  )
}

async function scanAll(root: number, threads: ThreadOptions): Promise<Scanned[]> {
  const [tree] = await scanTree(root, threads, () => undefined)
  const xattrs = new XattrReader(root)
  try {
    return Array.from(tree.inTreeManifestOrder(), (object) => {
      const { status } = object
      return { entry: toMtreeEntry(object, xattrs.listed(object)), status }
    })
  } finally {
    xattrs.release()
  }
}

/** The tree, with only those values of each path that the manifest states. */
async function describeAsStated(
  entries: readonly MtreeEntry[],
  scanned: readonly Scanned[],
  values: DiskValues,
  { selected, hashFiles }: { selected: readonly string[]; hashFiles: HashFiles }
): Promise<MtreeEntry[]> {
  const claims = new Map(entries.map((entry) => [entry.path, entry]))
  const files = scanned.filter(({ entry }) => entry.type === 'file')
  const hashed = files.filter(({ entry }) => claims.get(entry.path)?.sha256 !== undefined)
  const wanted = selected.includes('sha256digest') ? hashed.map(({ entry }) => entry) : []
  try {
    const digests = await hashFiles(wanted.map(({ path, size = 0 }) => ({ path, size })))
    wanted.forEach((entry, index) => (entry.sha256 = digests[index]))
    return scanned.map((it) => asStated(it, claims.get(it.entry.path), values))
  } finally {
    values.release()
  }
}

function asStated(scanned: Scanned, claim: MtreeEntry | undefined, values: DiskValues): MtreeEntry {
  const { entry, status } = scanned
  if (claim === undefined) return entry
  if (claim.other?.has('nochange') === true) return claim
  const { mtimeSec, mtimeNsec } = status
  return {
    path: entry.path,
    type: claim.type && entry.type,
    size: claim.size === undefined ? undefined : entry.size,
    uid: claim.uid === undefined ? undefined : entry.uid,
    gid: claim.gid === undefined ? undefined : entry.gid,
    mode: claim.mode === undefined ? undefined : entry.mode,
    nlink: claim.nlink === undefined ? undefined : entry.nlink,
    link: claim.link === undefined ? undefined : entry.link,
    mtimeSec: claim.mtimeSec === undefined ? undefined : entry.mtimeSec,
    time: claim.time && { sec: mtimeSec, nsec: mtimeNsec },
    sha256: claim.sha256 === undefined ? undefined : entry.sha256,
    xattrs: entry.xattrs,
    other: values.of(scanned, claim.other)
  }
}

/** Leaves out the differences that the manifest itself allows. */
function allowed(deltas: readonly Delta[], entries: readonly MtreeEntry[]): Delta[] {
  const isBelowIgnored = maskOf(pathsWith(entries, 'ignore'))
  const optional = new Set(pathsWith(entries, 'optional'))
  return deltas.filter((delta) => {
    if (delta.kind === 'missing') return !optional.has(delta.path)
    return delta.kind === 'modified' || !isBelowIgnored(delta.path)
  })
}

function pathsWith(entries: readonly MtreeEntry[], keyword: string): ByteString[] {
  return entries.filter(({ other }) => other?.has(keyword) === true).map(({ path }) => path)
}
