/** Writes an image in the form that `docker load` and skopeo read. */
import { TarFile } from '../archive/tar-file.ts'
import { actualContent } from '../codec/actual-compression.ts'
import { decompress } from '../codec/decompress.ts'
import { withFacts } from '../errors.ts'
import { digestHex, type Digest } from '../image/digest.ts'
import { fullDockerName } from '../image/docker-name.ts'
import { layerCompression } from '../image/media-types.ts'
import type { Descriptor } from '../image/types.ts'
import { blamedOn } from '../store/blamed-blob.ts'
import { openBlob } from '../store/blob.ts'
import type { ImageSource } from '../store/image-source.ts'
import { assertLayers, resolveImage, type ResolvedImage } from '../store/resolve.ts'
import type { PathAndTag } from './path-and-tag.ts'
import type { ImageToWrite, WriterHelp } from './transport.ts'

/** A layer whose diff ID has been verified. */
interface PlainLayer {
  descriptor: Descriptor
  diffId: Digest
  /** Size of the tar, in bytes. */
  size: number
}

/**
 * Writes the image of one platform in the form of docker-image-spec (Combined Image JSON + Filesystem Changeset
 * Format): layers are uncompressed tar files named by their diff IDs. A tar header gives the size before the content,
 * so each layer is decompressed twice: first by `check`, for its size and diff ID, then into the archive.
 * @throws ARCHIVE_EXISTS, DIFF_ID_MISMATCH
 */
export async function writeDockerArchive(
  to: PathAndTag,
  { source, tag, platform }: ImageToWrite,
  help: WriterHelp
): Promise<void> {
  const image = resolveImage(source, tag, platform)
  assertLayers(image)
  const archive = new TarFile(to.path, help.onLeftover)
  try {
    const layers = await checkedLayers(source, image, help)
    for (const layer of new Map(layers.map((layer) => [layer.diffId, layer])).values()) {
      await archive.add(nameOf(layer), layer.size, plainChunks(source, layer, help))
      const { diffId: digest, size } = layer
      help.onEvent({ type: 'blob', digest, size, outcome: 'copied' })
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
  { check }: WriterHelp
): Promise<PlainLayer[]> {
  const { diff_ids: diffIds } = config.rootfs
  for (const { mediaType } of manifest.layers) layerCompression(mediaType)
  const blobs = manifest.layers.map((descriptor, index) => ({
    descriptor,
    diffId: diffIds[index]!
  }))
  const outcomes = await check(source, blobs)
  return outcomes.map((outcome, index) => {
    const blob = blobs[index]!
    if (outcome.status === 'fulfilled') return { ...blob, size: outcome.value.unpacked }
    throw withFacts(outcome.reason, { layer: `${index + 1} (${blob.descriptor.digest})` })
  })
}

async function* plainChunks(
  source: ImageSource,
  { descriptor }: PlainLayer,
  { decompressor, breathe }: WriterHelp
): AsyncGenerator<Buffer> {
  const blob = openBlob(source.blobSource(descriptor))
  try {
    const { input, compression } = actualContent(blob, layerCompression(descriptor.mediaType))
    for await (const chunk of decompress(input, compression, decompressor)) {
      await breathe()
      yield chunk
    }
    blob.verify()
  } catch (error) {
    throw blamedOn(blob, error)
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
