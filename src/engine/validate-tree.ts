/** Compares a directory with an mtree manifest and reports every difference, not only the first. */
import { basename, dirname } from 'node:path'
import { display, fromBuffer, fromText, type ByteString } from '../bytes.ts'
import { OciUnpackError, withFacts } from '../errors.ts'
import { compareTreeManifests, type Delta } from '../mtree/compare.ts'
import { UMOCI_KEYWORDS, type MtreeEntry } from '../mtree/entry.ts'
import { maskOf } from '../mtree/filter.ts'
import { canonicalKeyword, isKnownKeyword } from '../mtree/keyword-names.ts'
import { parseTreeManifest } from '../mtree/parse.ts'
import { AS_SEEN } from '../plan/outside.ts'
import { toMtreeEntry } from '../rootfs/mtree-entry.ts'
import { XattrReader } from '../rootfs/tree-xattrs.ts'
import { fromNode } from '../sys/failure.ts'
import { close, openOperatorDirectory, openOperatorPlace } from '../sys/files.ts'
import { handlePath, withoutHandles } from '../sys/handle-path.ts'
import type { Ledger } from '../sys/ledger.ts'
import { openTree } from '../sys/lender.ts'
import { privileges } from '../sys/privileges.ts'
import { readFile } from '../sys/read.ts'
import { madeNamespaceIds } from '../sys/user-namespace.ts'
import { asked } from './operation/asked.ts'
import { suggestingRootless } from './operation/suggest-rootless.ts'
import { whileLendingBeside } from './place/lent-modes.ts'
import { hasher, type TreeOptions } from './tree/hash-files.ts'
import { jobCount } from './edit/change-options.ts'
import { toDiffEntry, type DiffEntry } from './diff.ts'
import {
  CHECKED_KEYWORDS,
  CONTROL_KEYWORDS,
  DiskValues,
  type Scanned
} from './changes/disk-values.ts'
import { inNamedTime, valuesAsStated } from './changes/stated-values.ts'
import { scanTree } from './tree/scan-tree.ts'
import { requireOptions } from './operation/required-options.ts'

export interface ValidateOptions {
  /** File that contains the tree manifest. */
  manifest: string
  /** Directory to compare. */
  path: string
  /**
   * Keywords to compare, by any of their names; default those that the tree manifest uses. `type` is always compared. If
   * the tree manifest does not state a keyword that is named here or in `addKeywords` for a path that has a value for it,
   * that is a difference.
   */
  keywords?: readonly string[] | 'umoci'
  /** Additional keywords to compare. */
  addKeywords?: readonly string[]
  /** Read also what its owner may not read: modes that are in the way are changed for the time being. */
  rootless?: boolean
  /** Processors that hash; default all. */
  jobs?: number
  signal?: AbortSignal
}

export interface Validation {
  /** Sorted by path. `added` means that the tree manifest does not list the path. */
  differences: readonly DiffEntry[]
  /** Keywords that were to be compared, but cannot be here. */
  unchecked: readonly string[]
}

/**
 * Compares a directory with an mtree(5) manifest. For each path, the values in the manifest are compared; extended
 * attributes that it does not list are differences. `optional` paths may be absent, `nochange` ones only need to exist,
 * and the content of an `ignore`d directory may be anything.
 * @throws USAGE for a keyword that no mtree defines, MTREE_INVALID, SYSCALL_FAILED, FILE_CHANGED
 */
export async function validateTree(options: ValidateOptions): Promise<Validation> {
  requireOptions(options, { manifest: 'text', path: 'text' })
  return suggestingRootless(options.rootless, () => asked({}, () => compare(options)))
}

async function compare(options: ValidateOptions): Promise<Validation> {
  const { entries, keywords } = readManifest(options.manifest)
  const { selected, named } = selectKeywords(options, keywords)
  return withTree(options, async (root, ledger) => {
    const threads = { jobs: jobCount(options.jobs), signal: options.signal, ledger }
    const scanned = await scanAll(root, threads)
    const values = new DiskValues(root, { selected, named }, ledger)
    const isHashed = selected.includes('sha256digest')
    const hashFiles = hasher(root, threads)
    const after = await valuesAsStated(entries, scanned, { named, isHashed, values, hashFiles })
    const before = entries.map((entry) => inNamedTime(entry, named))
    const deltas = compareTreeManifests(before, after, selected)
    return {
      differences: allowed(deltas, entries).map(toDiffEntry),
      unchecked: selected.filter((keyword) => !isComparable(keyword, entries))
    }
  })
}

/** Modes that keep the user out of the tree are changed only on request, and put back afterwards. */
async function withTree<T>(
  { path, rootless = false, signal }: ValidateOptions,
  act: (root: number, ledger: Ledger | undefined) => Promise<T>
): Promise<T> {
  if (!rootless || privileges().overridesModes)
    return whileFileOpen(openOperatorDirectory(fromText(path)), (root) => act(root, undefined))
  const real = realPath(path)
  const above = openOperatorDirectory(fromText(dirname(real)))
  const tree = { directory: above, path: dirname(real), name: fromText(basename(real)) }
  return whileFileOpen(above, () =>
    whileLendingBeside({ ...tree, signal, onEvent: () => undefined }, (ledger) =>
      whileFileOpen(openTree(ledger!), (root) => act(root, ledger))
    )
  )
}

function realPath(path: string): string {
  const place = openOperatorPlace(fromText(path))
  try {
    return withoutHandles(handlePath(place))
  } finally {
    close(place)
  }
}

async function whileFileOpen<T>(fd: number, act: (fd: number) => Promise<T>): Promise<T> {
  try {
    return await act(fd)
  } finally {
    close(fd)
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
): { selected: readonly string[]; named: ReadonlySet<string> } {
  const chosen = keywords === 'umoci' ? UMOCI_KEYWORDS : (keywords ?? [])
  const named = new Set([...chosen, ...addKeywords].map(knownKeyword))
  return {
    selected: [...new Set(['type', ...(keywords === undefined ? used : []), ...named])],
    named
  }
}

/** A misspelt keyword must not look as if it had been compared. */
function knownKeyword(keyword: string): string {
  const canonical = canonicalKeyword(keyword)
  if (isKnownKeyword(canonical)) return canonical
  throw new OciUnpackError('USAGE', `There is an unknown keyword "${display(fromText(keyword))}".`)
}

/** `flags=none` claims nothing: NetBSD's mtree writes it where there are no such flags. */
function isComparable(keyword: string, entries: readonly MtreeEntry[]): boolean {
  if (CHECKED_KEYWORDS.has(keyword) || CONTROL_KEYWORDS.has(keyword)) return true
  return (
    keyword === 'flags' && entries.every(({ other }) => (other?.get('flags') ?? 'none') === 'none')
  )
}

async function scanAll(root: number, options: TreeOptions): Promise<Scanned[]> {
  const [tree] = await scanTree(root, options, () => undefined)
  const outside = madeNamespaceIds() ?? AS_SEEN
  const xattrs = new XattrReader(root, outside, options.ledger)
  try {
    return Array.from(tree.inTreeManifestOrder(), (object) => {
      const { status } = object
      return { entry: toMtreeEntry(object, xattrs.listed(object), outside), status }
    })
  } finally {
    xattrs.release()
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
