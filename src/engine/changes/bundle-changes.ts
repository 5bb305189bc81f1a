/** What changed in an open bundle: by a look at what is said to have changed, or at the whole tree. */
import type { Memory } from '../../bundle/bundle.ts'
import type { ByteString } from '../../bytes.ts'
import { isLookedAt, type ChangedPaths } from '../../plan/changed-paths.ts'
import { hasAllNames } from '../../plan/link-groups.ts'
import { fileOf } from '../../rootfs/scanned-object.ts'
import type { ScannedTree } from '../../rootfs/scanned-tree.ts'
import type { OpenBundle } from '../bundle/open-bundle.ts'
import { heedSignals } from '../operation/abort.ts'
import type { ThreadOptions } from '../operation/threads.ts'
import type { HashFiles } from '../tree/hash-files.ts'
import { scanListed } from '../tree/scan-listed.ts'
import { scanTree } from '../tree/scan-tree.ts'
import { assertComplete } from './assert-complete.ts'
import { assertNoKernelMounts } from './assert-no-kernel-mounts.ts'
import {
  findChanges,
  isChanged,
  type ChangeRules,
  type Changes,
  type ImageDigests
} from './find-changes.ts'

export interface ChangeSearch extends ThreadOptions {
  masks: readonly ByteString[]
  hashFiles: HashFiles
  /** Undefined if the tree manifest states the digest of every file. */
  imageDigests: ImageDigests | undefined
  /** The changed paths, where somebody knows them without looking. */
  listed?: ChangedPaths | undefined
  /** Look at everything all the same, and fail where the list leaves something out; default false. */
  verifyDelta?: boolean | undefined
}

/**
 * What changed, by looking at what is listed or, where nothing is or it is not enough, at the whole tree.
 * @throws BUNDLE_BUSY if /proc or the like is mounted in it, SYSCALL_FAILED, FILE_CHANGED, MTREE_INVALID, ABORTED, HOOK_ANSWER_INVALID
 */
export async function bundleChanges(bundle: OpenBundle, search: ChangeSearch): Promise<Changes> {
  assertNoKernelMounts(bundle.rootfs)
  const { listed, verifyDelta = false } = search
  const part = listed === undefined ? undefined : await lookAt(bundle, search, listed)
  const isEnough = part !== undefined && hasAllNames(part.linked, part.deltas, fileOf)
  if (isEnough && !verifyDelta) return part
  const all = await lookAt(bundle, search, undefined)
  if (!isEnough) return all
  assertComplete(part, all)
  return part
}

/** Whether there is any change: as `bundleChanges`, but stops at the first one. @throws as before */
export async function isBundleChanged(
  bundle: OpenBundle,
  search: Omit<ChangeSearch, 'masks' | 'verifyDelta'>
): Promise<boolean> {
  assertNoKernelMounts(bundle.rootfs)
  const { tree, remembered, rules } = await look(bundle, { ...search, masks: [] }, search.listed)
  return isChanged(bundle.rootfs, tree, remembered, rules)
}

async function lookAt(
  bundle: OpenBundle,
  search: ChangeSearch,
  listed: ChangedPaths | undefined
): Promise<Changes> {
  const { tree, remembered, rules } = await look(bundle, search, listed)
  const changes = await findChanges(bundle.rootfs, tree, remembered, rules)
  await heedSignals(search.signal)
  return changes
}

interface Seen {
  tree: ScannedTree
  remembered: Memory
  rules: ChangeRules
}

/** @param listed undefined: the whole tree, which other threads look at while this one reads what the bundle remembers */
async function look(
  { rootfs, ledger, memory, expected, metadata, outside }: OpenBundle,
  search: ChangeSearch,
  listed: ChangedPaths | undefined
): Promise<Seen> {
  const [tree, remembered] =
    listed === undefined
      ? await scanTree(rootfs, { ...search, ledger, expected: expected() }, memory)
      : [scanListed(rootfs, listed, ledger), memory()]
  const { masks, hashFiles, imageDigests } = search
  const isLooked = listed && isLookedAt(listed, (path) => tree.find(path)?.type === 'directory')
  const isRootless = metadata.rootless
  const rules = { masks, hashFiles, imageDigests, outside, isRootless, isLooked, ledger }
  return { tree, remembered, rules }
}
