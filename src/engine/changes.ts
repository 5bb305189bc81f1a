/**
 * What changed in a bundle since it was unpacked: its tree against its manifest. Files whose fingerprint is as it
 * was are not read; of the others only those are hashed that nothing else tells apart.
 */
import { memoryOf, type BundleState, type Memory, type Remembered } from '../bundle/bundle.ts'
import { fileStat } from '../bundle/file-stat.ts'
import { compareBytes, type ByteString } from '../bytes.ts'
import { compareEntries, type Delta } from '../mtree/compare.ts'
import { UMOCI_KEYWORDS, type ManifestEntry } from '../mtree/entry.ts'
import { maskDeltas, simplifyDeltas } from '../mtree/filter.ts'
import { regroupedLinks } from '../plan/link-groups.ts'
import { scan, type Scanned } from '../rootfs/scan.ts'

export interface Changes {
  /** Sorted by path, without what a mask covers or another delta implies. */
  deltas: readonly Delta[]
  /** The whole tree by path, `.` for the root. */
  tree: ReadonlyMap<ByteString, Scanned>
}

/** Gives the SHA-256 (hex) of regular files, in the order of the paths. */
export type HashFiles = (paths: readonly ByteString[]) => Promise<readonly string[]>

export async function findChanges(
  rootfs: number,
  bundle: BundleState,
  masks: readonly ByteString[],
  hashFiles: HashFiles
): Promise<Changes> {
  const memory = memoryOf(bundle)
  const scanned = scan(rootfs, (path, status, unlisted) =>
    memory.unchanged(path, fileStat(status, unlisted))
  )
  const tree = new Map(scanned.map((it) => [it.entry.path, it]))
  const found = await settle(
    scanned.flatMap((it) => (it.isRemembered ? [] : (compareOne(it, memory) ?? []))),
    hashFiles
  )
  const deltas = new Map([...missing(bundle, tree), ...found].map((delta) => [delta.path, delta]))
  for (const delta of relinked(scanned, memory))
    if (!deltas.has(delta.path)) deltas.set(delta.path, delta)
  const sorted = [...deltas.values()].sort((a, b) => compareBytes(a.path, b.path))
  return { deltas: simplifyDeltas(maskDeltas(sorted, masks)), tree }
}

function missing({ manifest }: BundleState, tree: Changes['tree']): Delta[] {
  return manifest.entries.flatMap((before): Delta[] =>
    tree.has(before.path) ? [] : [{ kind: 'missing', path: before.path, before }]
  )
}

const CHEAP_KEYWORDS = UMOCI_KEYWORDS.filter((keyword) => keyword !== 'sha256digest')

/** A delta, or a file that only its content can decide about. */
type Finding = Delta | { kind: 'undecided'; scanned: Scanned; before: ManifestEntry }

function compareOne(scanned: Scanned, memory: Memory): Finding | undefined {
  const { entry } = scanned
  const known = memory.recall(entry.path)
  if (known === undefined) return { kind: 'extra', path: entry.path, after: entry }
  const delta =
    compareEntries(known.entry, entry, CHEAP_KEYWORDS) ??
    compareRecord(scanned, known, memory.device)
  if (delta !== undefined || entry.type !== 'file') return delta
  return { kind: 'undecided', scanned, before: known.entry }
}

/** Device numbers, attributes of links, fractions of a second: what the manifest's keywords do not hold. */
function compareRecord(
  { entry, status, unlisted }: Scanned,
  { entry: before, record }: Remembered,
  device: Memory['device']
): Delta | undefined {
  if (record === undefined) return undefined
  const stat = fileStat(status, unlisted)
  const { mtimeNsec, size } = record
  if (entry.type !== 'dir' && size !== stat.size)
    return modified(
      before,
      entry,
      entry.type === 'file' ? 'size' : 'device or xattr',
      size,
      stat.size
    )
  const isCopy = stat.dev !== device
  if (isCopy || mtimeNsec === stat.mtime.nsec) return undefined
  return modified(before, entry, 'time', mtimeNsec, stat.mtime.nsec)
}

function modified(
  before: ManifestEntry,
  after: ManifestEntry,
  keyword: string,
  was: number | string,
  is: number | string
): Delta {
  const changes = [{ keyword, before: String(was), after: String(is) }]
  return { kind: 'modified', path: after.path, before, after, changes }
}

/** Hashes the undecided files; those that changed after all are deltas. */
async function settle(findings: readonly Finding[], hashFiles: HashFiles): Promise<Delta[]> {
  const undecided = findings.filter((it) => it.kind === 'undecided')
  const digests = await hashFiles(undecided.map(({ scanned }) => scanned.entry.path))
  undecided.forEach(({ scanned }, index) => {
    scanned.entry.sha256 = digests[index]
  })
  return findings.flatMap((it) =>
    it.kind === 'undecided' ? (compareEntries(it.before, it.scanned.entry) ?? []) : it
  )
}

/** Names that are links to other files than before, though each file is as it was and has as many names. */
function relinked(scanned: readonly Scanned[], memory: Memory): Delta[] {
  const linked = scanned.filter(({ status }) => status.type !== 'directory' && status.nlink > 1)
  const groups = linked.flatMap(({ entry, status }) => {
    const inode = memory.recall(entry.path)?.record?.inode
    return inode === undefined
      ? []
      : [{ path: entry.path, before: String(inode), after: String(status.inode) }]
  })
  const changed = new Set(regroupedLinks(groups))
  return linked.flatMap(({ entry }) => {
    const before = changed.has(entry.path) ? memory.recall(entry.path)?.entry : undefined
    return before === undefined ? [] : [modified(before, entry, 'hard links', 'others', 'these')]
  })
}
