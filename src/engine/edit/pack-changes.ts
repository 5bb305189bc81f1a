/** What changed in a bundle, as the entries of a new layer. */
import type { ByteString } from '../../bytes.ts'
import { layerPaths, type NamesOf } from '../../plan/layer-paths.ts'
import { namesByFile } from '../../plan/link-groups.ts'
import { packWhiteout } from '../../plan/pack-entry.ts'
import { ObjectPacker } from '../../rootfs/pack.ts'
import { fileOf } from '../../rootfs/scanned-object.ts'
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
  const paths = layerPaths(changes.deltas, namesIn(changes))
  settings.onEvent({ type: 'phase', phase: 'pack' })
  const packer = openPacker(bundle, writer, settings, withDigests)
  try {
    for (const [index, [path, isThere]] of paths.entries()) {
      if (isThere) await packObject(packer, path, changes.digests)
      else await packer.header(packWhiteout(path))
      settings.onEvent({ type: 'packed', entries: index + 1, total: paths.length })
    }
    await writer.write(endOfArchive())
  } finally {
    packer.release()
  }
}

async function packObject(
  packer: ObjectPacker,
  path: ByteString,
  digests: Map<ByteString, string>
): Promise<void> {
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
    rules: { policy: { kind: 'exact', uidMap: uidMaps, gidMap: gidMaps }, epoch: settings.epoch },
    write: { precision: settings.timePrecision },
    digests,
    onLostXattr: (path, xattr) => settings.onEvent(emptyXattr(path, xattr))
  })
}

/** Names under a mask stay as they are in the image. */
function namesIn({ linked, tree, isMasked }: Changes): NamesOf {
  const shown = linked.filter(({ path }) => !isMasked(path))
  if (shown.length === 0) return () => []
  const names = namesByFile(shown, fileOf)
  return (path) => names.get(fileOf(tree.find(path)!)) ?? []
}
