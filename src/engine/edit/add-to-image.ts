/** Adds a layer, a history entry or other changes to an image and tags the result, in one atomic step. */
import { assertCanCompress } from '../../codec/compress.ts'
import { target } from '../../image/choice.ts'
import type { Compression } from '../../image/media-types.ts'
import {
  inheritedCompression,
  rewriteImage,
  type ImageDocuments,
  type ImageEdit
} from '../../image/rewrite.ts'
import { storeImage } from '../../store/index-update.ts'
import type { Layout } from '../../store/layout.ts'
import { readIndexes, type ResolvedImage } from '../../store/resolve.ts'
import { openWorkspace, type Workspace } from '../../store/layout-workspace.ts'
import { heedSignals, pause } from '../operation/abort.ts'
import type { ChangeResult, ChangeSettings } from './change-options.ts'
import { historyEntry } from './history.ts'
import { LayerWriter, type StoredLayer } from './layer-writer.ts'

export interface ImageChange {
  layout: Layout
  base: ResolvedImage
  tag: string
  /** `created_by` unless the caller says otherwise. */
  createdBy: string
  /** umoci copies the image's author for all commands except insert. */
  inheritAuthor: boolean
  /** Changes to the documents, besides the layer and the history entry. */
  edit?: DocumentEdit
  /** Called when the image is known but not visible yet; if it throws, the operation fails. */
  beforeTag?: ((image: ResolvedImage['descriptorPath']) => Promise<void>) | undefined
  settings: ChangeSettings
}

export type DocumentEdit = Pick<ImageEdit, 'config' | 'manifest' | 'platform'>

export type WriteLayer = (writer: LayerWriter) => Promise<void>

/**
 * Stores the layer that `write` produces (undefined: none), rewrites the documents and moves the tag. If it throws, the
 * layout's index is unchanged. Returns the new image, too.
 */
export async function addToImage(
  change: ImageChange,
  write: WriteLayer | undefined
): Promise<ChangeResult & { image: ResolvedImage['descriptorPath'] }> {
  const { layout, base, settings } = change
  const documents = { ...base, indexes: readIndexes(layout, base.descriptorPath) }
  const waitABit = (): Promise<void> => pause(settings.signal)
  const workspace = await openWorkspace(layout.path, waitABit)
  try {
    const layer = write === undefined ? undefined : await storeLayer(workspace, change, write)
    const image = rewriteImage(documents, imageEdit(change, layer, documents))
    await change.beforeTag?.(image.descriptorPath)
    await heedSignals(settings.signal)
    await storeImage(workspace, image, change.tag, waitABit)
    return {
      manifestDigest: target(image.descriptorPath).digest,
      layer: layer === undefined ? undefined : describeLayer(layer),
      image: image.descriptorPath
    }
  } finally {
    workspace.close()
  }
}

/** Refuses what cannot be packed, before any other work. @throws USAGE, COMPRESSOR_UNAVAILABLE */
export function assertPackable(base: ResolvedImage, settings: ChangeSettings): void {
  assertCanCompress(chooseCompression(settings.compress, base), settings.level)
  historyEntry(settings.history, { author: undefined, createdBy: '', epoch: settings.epoch })
}

function chooseCompression(asked: ChangeSettings['compress'], base: ResolvedImage): Compression {
  return asked === 'auto' ? inheritedCompression(base.manifest) : asked
}

async function storeLayer(
  workspace: Workspace,
  { base, settings }: ImageChange,
  write: WriteLayer
): Promise<StoredLayer> {
  const writer = new LayerWriter(workspace, {
    compression: chooseCompression(settings.compress, base),
    level: settings.level,
    threads: settings.jobs,
    manifestType: target(base.descriptorPath).mediaType,
    signal: settings.signal
  })
  try {
    await write(writer)
    return await writer.finish()
  } finally {
    await writer.discard()
  }
}

function imageEdit(
  { createdBy, inheritAuthor, edit, settings }: ImageChange,
  layer: StoredLayer | undefined,
  documents: ImageDocuments
): ImageEdit {
  const config = edit?.config?.(documents.config) ?? documents.config
  const history = historyEntry(settings.history, {
    author: inheritAuthor ? config.author : undefined,
    createdBy,
    epoch: settings.epoch
  })
  return {
    ...edit,
    ...(layer === undefined ? {} : { layer }),
    ...(history === undefined ? {} : { history })
  }
}

function describeLayer({
  descriptor,
  diffId,
  uncompressedSize
}: StoredLayer): ChangeResult['layer'] {
  return { digest: descriptor.digest, size: descriptor.size, diffId, uncompressedSize }
}
