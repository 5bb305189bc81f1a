/** Packing changes into a layer. */
import type { ByteString } from '../../bytes.ts'
import type { Delta } from '../../mtree/compare.ts'
import { layerItems, type Change, type LayerItem, type NamesOf } from '../../plan/layer-items.ts'
import { packWhiteout } from '../../plan/pack-entry.ts'
import { ObjectPacker } from '../../rootfs/pack.ts'
import { inodeKey } from '../../sys/status.ts'
import { endOfArchive } from '../../tar/writer.ts'
import type { ChangeSettings } from './change-options.ts'
import type { Changes } from '../changes/find-changes.ts'
import type { LayerWriter } from './layer-writer.ts'
import { emptyXattr } from '../operation/warnings.ts'
import type { OpenBundle } from '../bundle/open-bundle.ts'

/** Writes the layer of the changes. @param withDigests note the SHA-256 of each file that was read in `changes` */
export async function packChanges(
  bundle: OpenBundle,
  changes: Changes,
  writer: LayerWriter,
  settings: ChangeSettings,
  withDigests: boolean
): Promise<void> {
  const items = layerItems(changes.deltas.map(toChange), namesIn(changes))
  settings.onEvent({ type: 'phase', phase: 'pack' })
  const packer = openPacker(bundle, writer, settings, withDigests)
  try {
    for (const [index, item] of items.entries()) {
      await packItem(packer, item, changes.digests)
      settings.onEvent({ type: 'packed', entries: index + 1, total: items.length })
    }
    await writer.write(endOfArchive())
  } finally {
    packer.release()
  }
}

async function packItem(
  packer: ObjectPacker,
  { kind, path }: LayerItem,
  digests: Map<ByteString, string>
): Promise<void> {
  if (kind === 'whiteout') {
    await packer.header(packWhiteout(path))
    return
  }
  const digest = await packer.add(path === '.' ? '' : path, path)
  if (digest !== undefined) digests.set(path, digest)
}

function openPacker(
  bundle: OpenBundle,
  writer: LayerWriter,
  settings: ChangeSettings,
  digests: boolean
): ObjectPacker {
  const { uidMaps, gidMaps } = bundle.metadata
  return new ObjectPacker(bundle.rootfs, writer, {
    rules: { uidMap: uidMaps, gidMap: gidMaps, epoch: settings.epoch },
    write: { precision: settings.timePrecision },
    digests,
    onLostXattr: (path, xattr) => settings.onEvent(emptyXattr(path, xattr))
  })
}

function toChange(delta: Delta): Change {
  return { path: delta.path, exists: delta.kind !== 'missing' }
}

/** Names under a mask stay what they are in the image. */
function namesIn({ linked, tree, isMasked }: Changes): NamesOf {
  const names = new Map<string, ByteString[]>()
  for (const { path, status } of linked) {
    if (isMasked(path)) continue
    const known = names.get(inodeKey(status))
    if (known === undefined) names.set(inodeKey(status), [path])
    else known.push(path)
  }
  return (path) => (names.size === 0 ? [] : (names.get(inodeKey(tree.find(path)!.status)) ?? []))
}
