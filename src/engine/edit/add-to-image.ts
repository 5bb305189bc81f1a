/** An image gets a layer, a history entry or other documents under a tag: in one atomic step. */
import { target, type DescriptorPath } from '../../image/choice.ts'
import { rewriteImage, type ImageEdit } from '../../image/rewrite.ts'
import { tagged } from '../../image/tags.ts'
import { storeImage } from '../../store/index-update.ts'
import type { Layout } from '../../store/layout.ts'
import { openWorkspace } from '../../store/layout-workspace.ts'
import { readIndexes, type ResolvedImage } from '../../store/resolve.ts'
import { heedSignals, pause } from '../operation/abort.ts'
import type { OnEvent } from '../operation/events.ts'
import type { ChangeResult } from './change-options.ts'
import type { HistoryEntry } from './history.ts'
import { repairs } from './repairs.ts'
import { storeLayer, type NewLayer, type StoredLayer } from './layer-writer.ts'

export interface ImageChange {
  layout: Layout
  base: ResolvedImage
  tag: string
  /** Undefined: none. */
  layer: NewLayer | undefined
  /** Undefined: none. */
  history: HistoryEntry | undefined
  /** Changes of the documents, beside what a layer and the history entry bring. */
  edit?: DocumentEdit | undefined
  /** Called when the image is known, and before it can be seen; what it throws ends all. */
  beforeTag?: BeforeTag | undefined
  onEvent: OnEvent
  signal: AbortSignal | undefined
}

export type DocumentEdit = Pick<ImageEdit, 'config' | 'manifest' | 'platform'>

export type BeforeTag = (image: DescriptorPath) => Promise<void>

export interface ChangedImage {
  result: ChangeResult
  /** From the entry of the layout's index that has the tag. */
  image: DescriptorPath
}

/** Stores the layer, rewrites the documents and moves the tag. Where it throws, the layout's index is as it was. */
export async function addToImage(change: ImageChange): Promise<ChangedImage> {
  const { layout, base, tag, history, edit, beforeTag, onEvent, signal } = change
  const documents = { ...base, indexes: readIndexes(layout, base.descriptorPath) }
  const waitABit = (): Promise<void> => pause(signal)
  const workspace = await openWorkspace(layout.path, waitABit)
  try {
    const layer = change.layer && (await storeLayer(workspace, change.layer))
    const image = rewriteImage(documents, {
      ...edit,
      ...(layer === undefined ? {} : { layer }),
      ...(history === undefined ? {} : { history })
    })
    for (const warning of repairs(base, image)) onEvent(warning)
    const [root, ...below] = image.descriptorPath
    const path: DescriptorPath = [tagged(root, tag), ...below]
    await beforeTag?.(path)
    await heedSignals(signal)
    await storeImage(workspace, image, tag, waitABit)
    return { result: resultOf(path, layer), image: path }
  } finally {
    workspace.close()
  }
}

function resultOf(image: DescriptorPath, layer: StoredLayer | undefined): ChangeResult {
  return { manifestDigest: target(image).digest, layer: layer && layerResult(layer) }
}

function layerResult({ descriptor, diffId, uncompressedSize }: StoredLayer): ChangeResult['layer'] {
  return { digest: descriptor.digest, size: descriptor.size, diffId, uncompressedSize }
}
