/**
 * What changed in a bundle since it was unpacked: its tree against its manifest. Files whose fingerprint is as it
 * was are not read; of the others only those are hashed that nothing else tells apart.
 */
import type { Memory } from '../../bundle/bundle.ts'
import { compareBytes, type ByteString } from '../../bytes.ts'
import type { Delta } from '../../mtree/compare.ts'
import type { EntryList } from '../../mtree/entry-list.ts'
import { maskDeltas, maskOf, simplifyDeltas, withoutSockets } from '../../mtree/filter.ts'
import type { ScannedObject } from '../../rootfs/scanned-object.ts'
import type { ScannedTree } from '../../rootfs/scanned-tree.ts'
import type { HashFiles } from '../tree/hash-files.ts'
import { contentDelta, examine, type Finding } from './examine.ts'
import { relinked } from './relinked.ts'
import { sift, type Sifted } from './sift.ts'

export interface Changes {
  /** Sorted by path, without what a mask covers or another delta implies. */
  deltas: readonly Delta[]
  tree: ScannedTree
  /** What the bundle's manifest listed. */
  /** Whether the whole root file system was looked at. */
  isWhole: boolean
  entries: EntryList
  /** The entry of an object that surely did not change, as an index. */
  remembered: (object: ScannedObject) => number | undefined
  /** Everything but directories that has several names, once for each. */
  linked: readonly ScannedObject[]
  /** SHA-256 (hex) of files, by path, as far as they were read. */
  digests: Map<ByteString, string>
  /** Whether changes at a path are left out. */
  isMasked: (path: ByteString) => boolean
  /** New sockets, which no image can hold. */
  sockets: readonly ByteString[]
}

export interface ChangeRules {
  masks: readonly ByteString[]
  hashFiles: HashFiles
  /** Where only a part of the tree was looked at: what is not there now, and is not in that part, is not missing. */
  isLooked: ((path: ByteString) => boolean) | undefined
}

/** @param rootfs descriptor of the directory that was scanned as `tree` */
export async function findChanges(
  rootfs: number,
  tree: ScannedTree,
  memory: Memory,
  { masks, hashFiles, isLooked }: ChangeRules
): Promise<Changes> {
  const sifted = sift(tree, memory)
  const findings = examine(rootfs, tree, sifted, memory)
  const digests = await hashUndecided(findings, hashFiles)
  const gone = missing(sifted, memory, isLooked)
  const deltas = allDeltas(sifted, gone, findings, memory, digests)
  const open = maskDeltas(deltas, masks)
  return {
    deltas: simplifyDeltas(withoutSockets(open)),
    tree,
    isWhole: isLooked === undefined,
    entries: memory.entries,
    remembered: rememberedBy(sifted, tree),
    linked: sifted.linked,
    digests,
    isMasked: maskOf(masks),
    sockets: open.filter(isSocket).map(({ path }) => path)
  }
}

function missing({ missing }: Sifted, memory: Memory, isLooked: ChangeRules['isLooked']): Delta[] {
  const { entries } = memory
  return missing
    .filter((index) => isLooked === undefined || isLooked(entries.path(index)))
    .map((index) => toMissing(index, memory))
}

/** Sorted by path. */
function allDeltas(
  sifted: Sifted,
  gone: readonly Delta[],
  findings: readonly Finding[],
  memory: Memory,
  digests: ReadonlyMap<ByteString, string>
): Delta[] {
  const found = [...gone, ...findings.flatMap((it) => settle(it, memory, digests))]
  return [...found, ...relinked(sifted, memory, found)].sort((a, b) => compareBytes(a.path, b.path))
}

function toMissing(index: number, { entries }: Memory): Delta {
  const before = { type: entries.entry(index).type }
  return { kind: 'missing', path: entries.path(index), before }
}

async function hashUndecided(
  findings: readonly Finding[],
  hashFiles: HashFiles
): Promise<Map<ByteString, string>> {
  const undecided = findings.filter((it) => it.kind === 'undecided')
  const digests = await hashFiles(undecided)
  return new Map(undecided.map(({ path }, index) => [path, digests[index]!]))
}

/** Files that changed after all are deltas. */
function settle(
  finding: Finding,
  memory: Memory,
  digests: ReadonlyMap<ByteString, string>
): readonly Delta[] {
  if (finding.kind !== 'undecided') return [finding]
  const delta = contentDelta(finding, memory, digests.get(finding.path)!)
  return delta === undefined ? [] : [delta]
}

function rememberedBy({ suspects, match }: Sifted, { size }: ScannedTree): Changes['remembered'] {
  const isSuspect = new Uint8Array(size)
  for (const { number } of suspects) isSuspect[number] = 1
  return (object) => (isSuspect[object.number] === 1 ? undefined : match.indexOf(object))
}

function isSocket(delta: Delta): boolean {
  return delta.kind !== 'missing' && delta.after.type === 'socket'
}
