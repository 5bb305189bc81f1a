/** What changed in an open bundle, with the volumes masked and content hashed in threads. */
import { fromText, type ByteString } from '../../bytes.ts'
import { fileOf } from '../../rootfs/scanned-object.ts'
import { heedSignals } from '../operation/abort.ts'
import { isLookedAt, type ChangedPaths } from '../../plan/changed-paths.ts'
import { hasAllNames } from '../../plan/link-groups.ts'
import { cleanPath } from '../../plan/names.ts'
import { hasher } from '../tree/hash-files.ts'
import { findChanges, type Changes } from './find-changes.ts'
import type { OpenBundle } from '../bundle/open-bundle.ts'
import { scanListed } from '../tree/scan-listed.ts'
import { scanTree } from '../tree/scan-tree.ts'
import type { ThreadOptions } from '../operation/threads.ts'

export interface MaskOptions {
  /** Paths whose changes are left out, with everything below them. */
  maskPaths?: readonly string[]
  /** Leave out changes in the image's volumes (`Config.Volumes`); default true. */
  maskVolumes?: boolean
}

export interface ChangeSearch extends MaskOptions, ThreadOptions {
  volumes: readonly string[]
}

/** Returns the changed paths if they are known without looking at the tree, else undefined. */
export type ListChanges = () => Promise<ChangedPaths | undefined>

/**
 * What changed: looks at the paths from `list` or, if it returns undefined, at the whole tree.
 * @throws SYSCALL_FAILED, FILE_CHANGED, MTREE_INVALID, ABORTED, and what `list` throws
 */
export async function bundleChanges(
  bundle: OpenBundle,
  search: ChangeSearch,
  list: ListChanges = nobody
): Promise<Changes> {
  const listed = await list()
  const changes =
    (listed === undefined ? undefined : await listedChanges(bundle, search, listed)) ??
    (await allChanges(bundle, search))
  await heedSignals(search.signal)
  return changes
}

function nobody(): Promise<undefined> {
  return Promise.resolve(undefined)
}

/** Undefined if a changed file has names that are not listed: only looking at the whole tree finds them. */
async function listedChanges(
  bundle: OpenBundle,
  search: ChangeSearch,
  listed: ChangedPaths
): Promise<Changes | undefined> {
  const tree = scanListed(bundle.rootfs, listed)
  const memory = bundle.memory()
  const changes = await findChanges(bundle.rootfs, tree, memory, {
    masks: masksOf(search),
    hashFiles: hasher(bundle.rootfs, search),
    isLooked: isLookedAt(listed, (path) => tree.find(path)?.type === 'directory')
  })
  return hasAllNames(changes.linked, changes.deltas, fileOf) ? changes : undefined
}

/** The tree manifest is read while other threads look at the tree. */
export async function allChanges(bundle: OpenBundle, search: ChangeSearch): Promise<Changes> {
  const [tree, memory] = await scanTree(bundle.rootfs, search, () => bundle.memory())
  return findChanges(bundle.rootfs, tree, memory, {
    masks: masksOf(search),
    hashFiles: hasher(bundle.rootfs, search),
    isLooked: undefined
  })
}

/** Cleaned lexically: no link is followed. */
function masksOf({ maskPaths = [], maskVolumes = true, volumes }: ChangeSearch): ByteString[] {
  return [...maskPaths, ...(maskVolumes ? volumes : [])].map((mask) => cleanPath(fromText(mask)))
}
