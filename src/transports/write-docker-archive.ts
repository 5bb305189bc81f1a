/** Writes an image in the form that `docker load` and skopeo read. */
import { TarFile } from '../archive/tar-file.ts'
import { withFacts } from '../errors.ts'
import { digestHex, type Digest } from '../image/digest.ts'
import { fullDockerName } from '../image/docker-name.ts'
import { layerCompression } from '../image/media-types.ts'
import type { Descriptor } from '../image/types.ts'
import { prepared, type ImageSource } from '../store/image-source.ts'
import { assertLayers, resolveImage, type ResolvedImage } from '../store/resolve.ts'
import { layerTar } from './layer-tar.ts'
import { withLayersAtHand } from './layers-at-hand.ts'
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
 * so each layer is decompressed twice: first by `check`, for its size and diff ID, then into the archive. It is fetched once.
 * @throws ARCHIVE_EXISTS, DIFF_ID_MISMATCH
 */
export async function writeDockerArchive(
  to: PathAndTag,
  { source, tag, platform }: ImageToWrite,
  help: WriterHelp
): Promise<void> {
  const image = await prepared(source, () => resolveImage(source, tag, platform))
  assertLayers(image)
  for (const { mediaType } of image.manifest.layers) layerCompression(mediaType)
  const archive = new TarFile(to.path, help.onLeftover)
  try {
    await withLayersAtHand(source, image.manifest.layers, help, (atHand) =>
      fill(archive, { image, source: atHand, name: to.tag }, help)
    )
    await archive.publish()
  } finally {
    archive.discard()
  }
}

interface Content {
  image: ResolvedImage
  source: ImageSource
  name: string | undefined
}

async function fill(
  archive: TarFile,
  { image, source, name }: Content,
  help: WriterHelp
): Promise<void> {
  const layers = await checkedLayers(source, image, help)
  for (const layer of new Map(layers.map((layer) => [layer.diffId, layer])).values()) {
    await archive.add(nameOf(layer), layer.size, layerTar(source, layer.descriptor, help))
    const { diffId: digest, size } = layer
    help.onEvent({ type: 'blob', digest, size, outcome: 'copied' })
  }
  const config = `${digestHex(image.manifest.config.digest)}.json`
  await archive.add(config, image.rawConfig.length, [image.rawConfig])
  const manifest = manifestJson(config, name, layers)
  await archive.add('manifest.json', manifest.length, [manifest])
}

async function checkedLayers(
  source: ImageSource,
  { manifest, config }: ResolvedImage,
  { check }: WriterHelp
): Promise<PlainLayer[]> {
  const { diff_ids: diffIds } = config.rootfs
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
