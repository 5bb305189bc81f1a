/** Makes the tasks for threads from the layers of an image. */
import { withFacts } from '../../errors.ts'
import { layerCompression, type Compression } from '../../image/media-types.ts'
import type { Descriptor } from '../../image/types.ts'
import { layerPolicy } from '../../plan/policy/layer-policy.ts'
import { writeRules } from '../../plan/policy/policies.ts'
import type { WhiteoutForm } from '../../plan/whiteout-form.ts'
import type { StagingPlace } from '../../rootfs/layer-stage.ts'
import type { Skips } from '../../rootfs/skips.ts'
import type { EntriesTask, ReadLayerTask } from '../../worker/read-layer.ts'
import type { VerifiedTarTask } from '../../worker/verified-tar.ts'
import type { SinkDescription } from '../../worker/sinks.ts'
import type { ImageJob, Job } from './job.ts'
import type { ImageSettings } from './unpack-options.ts'

/** A layer's tar in a file. */
export interface LayerTar {
  path: string
  /** Bytes. */
  size: number
}

export interface StageInto {
  /** An empty directory for this layer alone. */
  staging: StagingPlace
  /** Hash every file for the tree manifest. */
  digests: boolean
  /** What not to write. By default everything is written. */
  skips?: Skips | undefined
  /** The form of whiteouts, if the layer gets its own directory. */
  form?: WhiteoutForm | undefined
  /** The verified tar, if the blob need not be read. */
  tar?: LayerTar | undefined
}

export function stageLayerTask(job: Job, layer: number, into: StageInto): ReadLayerTask {
  const { staging: place, digests, skips } = into
  const write = writeRules(job.settings.policy)
  const skipping = skips === undefined ? {} : { skips }
  const sink = { kind: 'staging', place, digests, write, ...skipping } as const
  const task = readLayerTask(job, layer, sink)
  return {
    ...task,
    ...(into.tar === undefined ? {} : fromFile(task, into.tar)),
    rules: {
      ...task.rules,
      policy: layerPolicy(job.settings.policy, into.form ?? 'none')
    }
  }
}

/** How the layers of an image are read. */
export type LayerSettings = Pick<ImageSettings, 'decompressor' | 'limits' | 'pathBytes' | 'policy'>

/** An image whose layers are read. */
type LayerJob = Pick<ImageJob, 'source' | 'image'> & { settings: LayerSettings }

export function readLayerTask(job: LayerJob, layer: number, sink: SinkDescription): ReadLayerTask {
  return { ...entriesTask(job, layer), type: 'read-layer', sink }
}

export function entriesTask(job: LayerJob, layer: number): Omit<EntriesTask, 'digests'> {
  const { policy, limits, pathBytes } = job.settings
  return {
    ...verifiedTarTask(job, layer),
    rules: { policy, maxPathBytes: pathBytes },
    limits
  }
}

export function verifiedTarTask(
  { source, image, settings }: LayerJob,
  layer: number
): VerifiedTarTask {
  const descriptor = image.manifest.layers[layer]!
  return {
    layer,
    source: source.blobSource(descriptor),
    compression: compressionOf(descriptor, layer),
    diffId: image.config.rootfs.diff_ids[layer]!,
    decompressor: settings.decompressor
  }
}

/** The tar is verified a second time, because it was in a file meanwhile. */
function fromFile(
  { diffId }: VerifiedTarTask,
  { path, size }: LayerTar
): Pick<VerifiedTarTask, 'source' | 'compression'> {
  return { source: { digest: diffId, size, path }, compression: 'none' }
}

function compressionOf(descriptor: Descriptor, layer: number): Compression {
  try {
    return layerCompression(descriptor.mediaType)
  } catch (error) {
    throw withFacts(error, { layer: layerName(layer, descriptor) })
  }
}

/** The name of a layer in errors: its number, counted from 1, and its digest. */
export function layerName(layer: number, { digest }: { digest: string }): string {
  return `${layer + 1} (${digest})`
}
