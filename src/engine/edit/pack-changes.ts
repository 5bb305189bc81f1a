/** What changed in a bundle, as the entries of a new layer. */
import { layerPaths, type NamesOf } from '../../plan/layer-paths.ts'
import { namesByFile } from '../../plan/link-groups.ts'
import { packWhiteout } from '../../plan/pack-entry.ts'
import { fileOf } from '../../rootfs/scanned-object.ts'
import { endOfArchive } from '../../tar/writer.ts'
import type { ChangeSettings } from './change-options.ts'
import type { Changes } from '../changes/find-changes.ts'
import { openLayerPacker } from './open-packer.ts'
import type { LayerWriter } from './layer-writer.ts'
import { treeOf } from './packed-bundle.ts'
import type { OpenBundle } from '../bundle/open-bundle.ts'

/** Writes the layer of the changes. @param withDigests note the SHA-256 of each file that was read in `changes` */
export async function packChanges(
  bundle: OpenBundle,
  changes: Changes,
  writer: LayerWriter,
  settings: ChangeSettings,
  withDigests: boolean
): Promise<void> {
  const names = namesIn(changes)
  const paths = layerPaths(changes.deltas, names)
  settings.onEvent({ type: 'phase', phase: 'pack' })
  const packer = openLayerPacker(treeOf(bundle, withDigests), writer, settings)
  try {
    for (const [index, [path, isThere]] of paths.entries()) {
      const digest = isThere ? await packer.add(path === '.' ? '' : path, path) : undefined
      if (!isThere) await packer.header(packWhiteout(path))
      if (digest !== undefined) changes.digests.set(path, digest)
      settings.onEvent({ type: 'packed', entries: index + 1, total: paths.length })
    }
    await writer.write(endOfArchive())
  } finally {
    packer.release()
  }
}

/** Names under a mask stay what they are in the image. */
export function namesIn({ linked, tree, isMasked }: Changes): NamesOf {
  const shown = linked.filter(({ path }) => !isMasked(path))
  if (shown.length === 0) return () => []
  const names = namesByFile(shown, fileOf)
  return (path) => names.get(fileOf(tree.find(path)!)) ?? []
}
