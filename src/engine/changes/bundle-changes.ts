/** What changed in an open bundle: by a look at what is said to have changed, or at the whole tree. */
import type { ByteString } from '../../bytes.ts'
import { isLookedAt, type ChangedPaths } from '../../plan/changed-paths.ts'
import { hasAllNames } from '../../plan/link-groups.ts'
import { fileOf } from '../../rootfs/scanned-object.ts'
import type { OpenBundle } from '../bundle/open-bundle.ts'
import { heedSignals } from '../operation/abort.ts'
import type { ThreadOptions } from '../operation/threads.ts'
import type { HashFiles } from '../tree/hash-files.ts'
import { scanListed } from '../tree/scan-listed.ts'
import { scanTree } from '../tree/scan-tree.ts'
import { assertComplete } from './assert-complete.ts'
import { findChanges, type Changes } from './find-changes.ts'

export interface ChangeSearch {
  masks: readonly ByteString[]
  hashFiles: HashFiles
  threads: ThreadOptions
  /** The changed paths, where somebody knows them without looking. */
  listed?: ChangedPaths | undefined
  /** Look at everything all the same, and fail where the list leaves something out; default false. */
  verifyDelta?: boolean | undefined
}

/**
 * What changed, by looking at what is listed or, where nothing is or it is not enough, at the whole tree.
 * @throws SYSCALL_FAILED, FILE_CHANGED, MTREE_INVALID, ABORTED, HOOK_ANSWER_INVALID
 */
export async function bundleChanges(bundle: OpenBundle, search: ChangeSearch): Promise<Changes> {
  const { listed, verifyDelta = false, threads } = search
  const part = listed === undefined ? undefined : await lookAt(bundle, search, listed)
  const isEnough = part !== undefined && hasAllNames(part.linked, part.deltas, fileOf)
  const changes = isEnough ? part : await lookAt(bundle, search, undefined)
  await heedSignals(threads.signal)
  if (verifyDelta && isEnough) assertComplete(part, await lookAt(bundle, search, undefined))
  return changes
}

/** @param listed undefined: the whole tree, while whose manifest is read other threads look at it */
async function lookAt(
  { rootfs, memory }: OpenBundle,
  { masks, hashFiles, threads }: ChangeSearch,
  listed: ChangedPaths | undefined
): Promise<Changes> {
  if (listed === undefined) {
    const [tree, remembered] = await scanTree(rootfs, threads, memory)
    return findChanges(rootfs, tree, remembered, { masks, hashFiles, isLooked: undefined })
  }
  const tree = scanListed(rootfs, listed)
  const isLooked = isLookedAt(listed, (path) => tree.find(path)?.type === 'directory')
  return findChanges(rootfs, tree, memory(), { masks, hashFiles, isLooked })
}
