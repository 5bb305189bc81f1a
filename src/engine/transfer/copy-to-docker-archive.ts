/** Copying an image to a docker-archive. */
import { TarFile } from '../../archive/tar-file.ts'
import { decompress } from '../../codec/decompress.ts'
import { withFacts } from '../../errors.ts'
import { digestHex, type Digest } from '../../image/digest.ts'
import { fullDockerName } from '../../image/docker-name.ts'
import { layerCompression } from '../../image/media-types.ts'
import type { Descriptor } from '../../image/types.ts'
import { openBlob } from '../../store/blob.ts'
import { diffIdMismatch } from '../../store/blob-errors.ts'
import type { ImageSource } from '../../store/image-source.ts'
import type { ResolvedImage } from '../../store/resolve.ts'
import { heedSignals } from '../operation/abort.ts'
import { checkBlobs } from './check-blobs.ts'
import type { CopySettings } from './copy-settings.ts'
import { leftoverTo } from '../operation/leftover.ts'

/** A layer whose diff ID is known to be right. */
interface PlainLayer {
  descriptor: Descriptor
  diffId: Digest
  /** Bytes of tar. */
  size: number
}

/**
 * What `docker load` and skopeo read (docker-image-spec, Combined Image JSON + Filesystem Changeset Format): layers as
 * plain tar files named by their diff IDs. A tar header has the size in front of the content, so all layers are
 * decompressed twice: at first in threads, for sizes and diff IDs, then into the archive.
 */
export async function copyToDockerArchive(
  to: { path: string; tag: string | undefined },
  source: ImageSource,
  image: ResolvedImage,
  settings: CopySettings
): Promise<void> {
  const archive = new TarFile(to.path, leftoverTo(settings.onEvent))
  try {
    const layers = await checkedLayers(source, image, settings)
    for (const layer of new Map(layers.map((layer) => [layer.diffId, layer])).values()) {
      await archive.add(nameOf(layer), layer.size, plainChunks(source, layer, settings))
      const { diffId: digest, size } = layer
      settings.onEvent({ type: 'blob', digest, size, outcome: 'copied' })
    }
    const config = `${digestHex(image.manifest.config.digest)}.json`
    await archive.add(config, image.rawConfig.length, [image.rawConfig])
    const manifest = manifestJson(config, to.tag, layers)
    await archive.add('manifest.json', manifest.length, [manifest])
    await archive.publish()
  } finally {
    archive.discard()
  }
}

async function checkedLayers(
  source: ImageSource,
  { manifest, config }: ResolvedImage,
  settings: CopySettings
): Promise<PlainLayer[]> {
  const { diff_ids: diffIds } = config.rootfs
  for (const { mediaType } of manifest.layers) layerCompression(mediaType)
  const blobs = manifest.layers.map((descriptor, index) => ({
    descriptor,
    diffIds: new Set([diffIds[index]!])
  }))
  const outcomes = await checkBlobs(source, blobs, settings)
  return outcomes.map((outcome, index) => {
    const { descriptor } = blobs[index]!
    const diffId = diffIds[index]!
    const layer = `${index + 1} (${descriptor.digest})`
    if (outcome.status === 'rejected') throw withFacts(outcome.reason, { layer })
    const { diffIds: found, unpacked } = outcome.value
    if (!found.includes(diffId))
      throw withFacts(diffIdMismatch(diffId, found.join(', ')), { layer })
    return { descriptor, diffId, size: unpacked }
  })
}

async function* plainChunks(
  source: ImageSource,
  { descriptor }: PlainLayer,
  { decompressor, signal }: CopySettings
): AsyncGenerator<Buffer> {
  const blob = openBlob(source.blobSource(descriptor))
  try {
    const compression = layerCompression(descriptor.mediaType)
    for await (const chunk of decompress(blob, compression, decompressor)) {
      await heedSignals(signal)
      yield chunk
    }
    blob.verify()
  } finally {
    blob.close()
  }
}

function manifestJson(
  config: string,
  name: string | undefined,
  layers: readonly PlainLayer[]
): Buffer {
  const RepoTags = name === undefined ? null : [fullDockerName(name)]
  return Buffer.from(JSON.stringify([{ Config: config, RepoTags, Layers: layers.map(nameOf) }]))
}

function nameOf({ diffId }: PlainLayer): string {
  return `${digestHex(diffId)}.tar`
}
