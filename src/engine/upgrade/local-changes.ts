/** What was changed in a bundle since it was unpacked, with both sides of each path. */
import { display, fromText, type ByteString } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'
import type { MtreeEntry } from '../../mtree/entry.ts'
import type { EntryList } from '../../mtree/entry-list.ts'
import { maskOf } from '../../mtree/filter.ts'
import type { ChangedPaths } from '../../plan/changed-paths.ts'
import { layerPaths } from '../../plan/layer-paths.ts'
import type { LocalChange } from '../../plan/upgrade/changed-tree.ts'
import type { SeenEntry } from '../../plan/upgrade/same-object.ts'
import { fileChanged } from '../../rootfs/read-body.ts'
import { DiskTreeView } from '../../rootfs/tree-view.ts'
import { handlePath, withoutHandles } from '../../sys/handle-path.ts'
import { mountsBelow } from '../../sys/mounts.ts'
import { contextAt } from '../bundle/bundle-site.ts'
import type { OpenBundle } from '../bundle/open-bundle.ts'
import { readOrigin } from '../bundle/origin.ts'
import { withPacked } from '../bundle/packed-paths.ts'
import { bundleChanges } from '../changes/bundle-changes.ts'
import type { Changes, ImageDigests } from '../changes/find-changes.ts'
import type { ChangeSettings } from '../edit/change-options.ts'
import { namesIn } from '../edit/pack-changes.ts'
import { digestsWhereUnpacked, whileImageFound } from '../files/lazy-digests.ts'
import type { EngineEvent } from '../operation/events.ts'
import { mounted, socket } from '../operation/warnings.ts'
import type { LayerStorage } from '../storage/layer-storage.ts'
import { plainStorage } from '../storage/plain-storage.ts'
import { makerOf } from '../storage/storages.ts'
import { hasher } from '../tree/hash-files.ts'

export interface LocalChanges {
  /** Paths that are not as in the image, with all that was in deleted directories. `''` is the root. */
  paths: readonly ByteString[]
  /** What the image has at these paths. */
  before: ReadonlyMap<ByteString, MtreeEntry>
  /** Where the digests are that a lazy tree manifest does not state. */
  imageDigests: ImageDigests | undefined
}

/** @param only paths; changes elsewhere do not count. All count if there is none. */
export async function findLocalChanges(
  bundle: OpenBundle,
  chosen: LayerStorage,
  only: readonly ByteString[],
  settings: ChangeSettings
): Promise<LocalChanges> {
  const { jobs, signal, onEvent } = settings
  const imageDigests = digestsWhereUnpacked(bundle.metadata, settings)
  onEvent({ type: 'phase', phase: 'compare' })
  const listed = await listedByHooks(bundle, chosen, settings)
  for (const point of mountsBelow(fromText(withoutHandles(handlePath(bundle.rootfs)))))
    onEvent(mounted(point))
  const changes = await bundleChanges(bundle, {
    listed: listed && withPacked(listed, bundle),
    masks: [],
    hashFiles: hasher(bundle.rootfs, { ...settings, ledger: bundle.ledger }),
    imageDigests,
    jobs,
    signal
  })
  for (const path of changes.sockets) onEvent(socket(path))
  const paths = changedPaths(changes, only.length === 0 ? () => true : maskOf(only))
  for (const path of unknownOf(only, paths, bundle)) onEvent(unknown(path))
  return { paths, before: entriesAt(changes.entries, new Set(paths)), imageDigests }
}

/** Paths that the bundle does not have, nor did its image: most likely misspelled. */
function unknownOf(
  only: readonly ByteString[],
  changed: readonly ByteString[],
  { rootfs, outside, ledger }: OpenBundle
): ByteString[] {
  const view = new DiskTreeView(rootfs, outside, ledger)
  try {
    return only.filter((path) => view.at(path) === undefined && !changed.some(maskOf([path])))
  } finally {
    view.release()
  }
}

function unknown(path: ByteString): EngineEvent {
  return {
    type: 'warning',
    message: 'There is nothing at a path that the upgrade is limited to.',
    facts: { entry: display(path) }
  }
}

/** Sorted. A file comes with all its names, changed or not, so that they are linked again. */
function changedPaths(changes: Changes, isMeant: (path: ByteString) => boolean): ByteString[] {
  const deltas = changes.allDeltas.filter(({ path }) => isMeant(path))
  const names = layerPaths(deltas, namesIn(changes))
  return names.map(([path]) => (path === '.' ? '' : path)).filter(isMeant)
}

/** The hooks that made the bundle may know the changes. They are told of its image, so that must still be found. */
async function listedByHooks(
  bundle: OpenBundle,
  chosen: LayerStorage,
  settings: ChangeSettings
): Promise<ChangedPaths | undefined> {
  const storage = makerOf(readOrigin(contextAt(bundle.path)), chosen) ?? plainStorage
  if (storage === plainStorage) return undefined
  try {
    return await whileImageFound(bundle.metadata, settings, (source, image) =>
      storage.changed({ bundle, image, layout: source.path, settings })
    )
  } catch (error) {
    if (error instanceof OciUnpackError && error.code === 'BLOB_NOT_FOUND') return undefined
    throw error
  }
}

/** Of two entries for one path, the later one counts. */
function entriesAt(
  entries: EntryList,
  wanted: ReadonlySet<ByteString>
): Map<ByteString, MtreeEntry> {
  const found = new Map<ByteString, MtreeEntry>()
  for (let index = 0; index < entries.count; index++) {
    const path = entries.path(index)
    const known = path === '.' ? '' : path
    if (wanted.has(known)) found.set(known, entries.entry(index))
  }
  return found
}

/** Both sides of each changed path. @throws FILE_CHANGED if something is gone that was there, and new */
export async function withSides(
  { paths, before, imageDigests }: LocalChanges,
  local: DiskTreeView,
  image: DiskTreeView
): Promise<LocalChange<SeenEntry>[]> {
  const digests = await unstatedDigests(before, imageDigests, [local, image])
  return paths.map((path) => {
    const entry = before.get(path)
    const after = local.at(path)
    if (entry === undefined && after === undefined) throw fileChanged(path)
    return { path, before: entry && rememberedEntry(entry, digests.get(path)), after }
  })
}

/** A socket is in no image. */
function rememberedEntry(entry: MtreeEntry, digest: string | undefined): SeenEntry | undefined {
  if (entry.type === 'socket') return undefined
  return { entry, sha256: () => entry.sha256 ?? digest, device: undefined }
}

/** Of files in the old image, those that only their content can tell from one of the other sides. */
async function unstatedDigests(
  before: ReadonlyMap<ByteString, MtreeEntry>,
  imageDigests: ImageDigests | undefined,
  views: readonly DiskTreeView[]
): Promise<ReadonlyMap<ByteString, string>> {
  if (imageDigests === undefined) return new Map()
  const wanted = [...before].filter(
    ([path, { type, size, sha256 }]) =>
      type === 'file' &&
      sha256 === undefined &&
      views.some((view) => view.at(path)?.entry.size === size)
  )
  return wanted.length === 0 ? new Map() : imageDigests(wanted.map(([path]) => path))
}
