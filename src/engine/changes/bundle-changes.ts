/** What changed in an open bundle, with the volumes masked and content hashed in threads. */
import { fromText, type ByteString } from '../../bytes.ts'
import { inodeKey } from '../../sys/status.ts'
import { heedSignals } from '../operation/abort.ts'
import { cleanPath } from '../../plan/names.ts'
import { hasher } from '../tree/hash-files.ts'
import { findChanges, type Changes } from './find-changes.ts'
import type { OpenBundle } from '../bundle/open-bundle.ts'
import { isLookedAt, scanListed, type ListedPaths } from '../tree/scan-listed.ts'
import { scanTree } from '../tree/scan-tree.ts'
import type { ThreadOptions } from '../operation/threads.ts'

export interface MaskOptions {
  /** Paths whose changes are left out, with all below them. */
  maskPaths?: readonly string[]
  /** Leave out changes in the image's volumes (`Config.Volumes`); default true. */
  maskVolumes?: boolean
}

export interface ChangeSearch extends MaskOptions, ThreadOptions {
  volumes: readonly string[]
}

/** Gives the changed paths, from whoever knows them without looking; undefined where nobody does. */
export type ListChanges = () => Promise<ListedPaths | undefined>

/**
 * What changed, by looking at what `list` names or, where it names nothing, at the whole tree.
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

/** Undefined where a changed file has names that are not listed: only a look at the whole tree finds them. */
async function listedChanges(
  bundle: OpenBundle,
  search: ChangeSearch,
  listed: ListedPaths
): Promise<Changes | undefined> {
  const tree = scanListed(bundle.rootfs, listed)
  const memory = bundle.memory()
  const changes = await findChanges(bundle.rootfs, tree, memory, {
    masks: masksOf(search),
    hashFiles: hasher(bundle.rootfs, search),
    isLooked: isLookedAt(listed, tree)
  })
  return hasAllNames(changes) ? changes : undefined
}

/** The manifest is read while other threads look at the tree. */
export async function allChanges(bundle: OpenBundle, search: ChangeSearch): Promise<Changes> {
  const [tree, memory] = await scanTree(bundle.rootfs, search, () => bundle.memory())
  return findChanges(bundle.rootfs, tree, memory, {
    masks: masksOf(search),
    hashFiles: hasher(bundle.rootfs, search),
    isLooked: undefined
  })
}

function hasAllNames({ linked, deltas }: Changes): boolean {
  const changed = new Set(deltas.map(({ path }) => path))
  const names = new Map<string, number>()
  for (const { status } of linked)
    names.set(inodeKey(status), (names.get(inodeKey(status)) ?? 0) + 1)
  return linked.every(
    ({ path, status }) => !changed.has(path) || names.get(inodeKey(status)) === status.nlink
  )
}

/** Cleaned lexically: no link is followed. */
function masksOf({ maskPaths = [], maskVolumes = true, volumes }: ChangeSearch): ByteString[] {
  return [...maskPaths, ...(maskVolumes ? volumes : [])].map((mask) => cleanPath(fromText(mask)))
}
