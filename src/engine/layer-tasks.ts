/** From the layers of an image to what threads are asked to do with them. */
import { withFacts } from '../errors.ts'
import { layerCompression, type Compression } from '../image/media-types.ts'
import type { Descriptor } from '../image/types.ts'
import type { OverlayNamespace } from '../plan/whiteout-form.ts'
import type { StageLayerTask } from '../worker/stage-layer.ts'
import type { Job } from './job.ts'

export interface StageInto {
  /** Absolute path of an empty directory for this layer alone. */
  staging: string
  /** Hash every file for the manifest. */
  digests: boolean
  /** Attributes that the mount takes for its own, where the layer becomes part of one. */
  overlay?: OverlayNamespace | undefined
}

export function stageLayerTask(job: Job, layer: number, into: StageInto): StageLayerTask {
  const { source, image, settings } = job
  const { decompressor, policy, limits, pathBytes } = settings
  const descriptor = image.manifest.layers[layer]!
  return {
    type: 'stage-layer',
    layer,
    staging: into.staging,
    source: source.blobSource(descriptor),
    compression: compressionOf(descriptor, layer),
    diffId: image.config.rootfs.diff_ids[layer]!,
    decompressor,
    rules: { policy, maxPathBytes: pathBytes, overlay: into.overlay },
    digests: into.digests,
    limits
  }
}

function compressionOf(descriptor: Descriptor, layer: number): Compression {
  try {
    return layerCompression(descriptor.mediaType)
  } catch (error) {
    throw withFacts(error, { layer: layerName(layer, descriptor) })
  }
}

/** As errors name it: its place counted from 1, and its digest. */
export function layerName(layer: number, { digest }: { digest: string }): string {
  return `${layer + 1} (${digest})`
}
