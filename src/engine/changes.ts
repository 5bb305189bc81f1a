/**
 * What changed in a bundle since it was unpacked: its tree against its manifest. Files whose fingerprint is as it
 * was are not read; of the others only those are hashed that nothing else tells apart.
 */
import { memoryOf, type BundleState, type Memory } from '../bundle/bundle.ts'
import { fileStat } from '../bundle/file-stat.ts'
import { compareBytes, type ByteString } from '../bytes.ts'
import { compareEntries, type Delta } from '../mtree/compare.ts'
import type { ManifestEntry } from '../mtree/entry.ts'
import { maskDeltas, maskOf, simplifyDeltas, withoutSockets } from '../mtree/filter.ts'
import { regroupedLinks } from '../plan/link-groups.ts'
import { scan, type Scanned } from '../rootfs/scan.ts'
import { compareScanned, modified, type Finding } from './compare-scanned.ts'

export interface Changes {
  /** Sorted by path, without what a mask covers or another delta implies. */
  deltas: readonly Delta[]
  /** The whole tree by path, `.` for the root. */
  tree: ReadonlyMap<ByteString, Scanned>
  /** Whether changes at a path are left out. */
  isMasked: (path: ByteString) => boolean
  /** New sockets, which no image can hold. */
  sockets: readonly ByteString[]
}

/** Gives the SHA-256 (hex) of regular files, in their order. */
export type HashFiles = (files: readonly ManifestEntry[]) => Promise<readonly string[]>

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
  const isCopy = wasCopied(scanned[0]!, memory)
  const found = await settle(
    scanned.flatMap((it) => (it.isRemembered ? [] : (compareScanned(it, memory, isCopy) ?? []))),
    hashFiles
  )
  const deltas = new Map([...missing(bundle, tree), ...found].map((delta) => [delta.path, delta]))
  for (const delta of relinked(scanned, memory))
    if (!deltas.has(delta.path)) deltas.set(delta.path, delta)
  const sorted = [...deltas.values()].sort((a, b) => compareBytes(a.path, b.path))
  const open = maskDeltas(sorted, masks)
  return {
    deltas: simplifyDeltas(withoutSockets(open)),
    tree,
    isMasked: maskOf(masks),
    sockets: open.filter(isSocket).map(({ path }) => path)
  }
}

function isSocket(delta: Delta): boolean {
  return delta.kind !== 'missing' && delta.after.type === 'socket'
}

/** A copy has its root elsewhere. */
function wasCopied({ status }: Scanned, memory: Memory): boolean {
  return memory.device !== status.device || memory.recall('.')?.record?.inode !== status.inode
}

function missing({ manifest }: BundleState, tree: Changes['tree']): Delta[] {
  return manifest.entries.flatMap((before): Delta[] =>
    tree.has(before.path) ? [] : [{ kind: 'missing', path: before.path, before }]
  )
}

/** Hashes the undecided files; those that changed after all are deltas. */
async function settle(findings: readonly Finding[], hashFiles: HashFiles): Promise<Delta[]> {
  const undecided = findings.filter((it) => it.kind === 'undecided')
  const digests = await hashFiles(undecided.map(({ scanned }) => scanned.entry))
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
