/** Writes an image as a layout with one entry, in a tar file that depends only on the image. */
import { TarFile } from '../archive/tar-file.ts'
import type { Digest } from '../image/digest.ts'
import { OCI_INDEX } from '../image/media-types.ts'
import { indexBytes } from '../image/serialise.ts'
import { REF_NAME, withReferrers, withTag } from '../image/tags.ts'
import type { Descriptor, ImageIndex } from '../image/types.ts'
import { blobChunks } from '../store/copy-blob.ts'
import { relativeBlobPath } from '../store/image-source.ts'
import { layoutFileBytes } from '../store/new-layout.ts'
import type { ReachableBlob } from '../store/reachable.ts'
import { blobsToCopy } from './blobs-to-copy.ts'
import type { PathAndTag } from './path-and-tag.ts'
import { sizeOf, TransferMeter } from './transfer-meter.ts'
import type { ImageToWrite, WriterHelp } from './transport.ts'

/** @throws ARCHIVE_EXISTS */
export async function writeOciArchive(
  to: PathAndTag,
  image: ImageToWrite,
  help: WriterHelp
): Promise<Digest> {
  const { root, referrers, blobs } = await blobsToCopy(image, help)
  const archive = new TarFile(to.path, help.onLeftover)
  try {
    await addSmall(archive, 'oci-layout', layoutFileBytes())
    await addSmall(
      archive,
      'index.json',
      indexBytes(withReferrers(indexOf(root, to.tag), referrers))
    )
    for (const directory of directories(blobs)) archive.directory(directory)
    const isFar = image.source.repository !== undefined
    const distinct = [...distinctBlobs(blobs)]
    const meter = isFar ? new TransferMeter(sizeOf(distinct), help.onEvent) : undefined
    for (const { descriptor } of distinct) {
      const { digest, size } = descriptor
      const chunks = blobChunks(image.source.blobSource(descriptor), help.breathe)
      await archive.add(relativeBlobPath(digest), size, metered(chunks, meter))
      help.onEvent({ type: 'blob', digest, size, outcome: 'copied' })
    }
    await archive.publish()
  } finally {
    archive.discard()
  }
  return root.digest
}

async function* metered(
  chunks: AsyncIterable<Buffer>,
  meter: TransferMeter | undefined
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    yield chunk
    meter?.add(chunk.length)
  }
}

function indexOf(root: Descriptor, tag: string | undefined): ImageIndex {
  const empty: ImageIndex = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] }
  const name = tag ?? root.annotations?.[REF_NAME]
  const isTag = name !== undefined && !name.startsWith('@')
  return isTag ? withTag(empty, name, root) : { ...empty, manifests: [withoutName(root)] }
}

/** A position in a docker-archive means nothing here. */
function withoutName(root: Descriptor): Descriptor {
  const annotations = Object.entries(root.annotations ?? {}).filter(([key]) => key !== REF_NAME)
  return { ...root, annotations: Object.fromEntries(annotations) }
}

function directories(blobs: readonly ReachableBlob[]): Set<string> {
  const algorithms = blobs.map(({ descriptor }) => relativeBlobPath(descriptor.digest))
  return new Set(['blobs', ...algorithms.map((path) => path.slice(0, path.lastIndexOf('/')))])
}

/** A blob may be reached in two roles, as a document and as plain bytes. */
function distinctBlobs(blobs: readonly ReachableBlob[]): Iterable<ReachableBlob> {
  return new Map(blobs.map((blob) => [blob.descriptor.digest, blob])).values()
}

async function addSmall(archive: TarFile, name: string, bytes: Buffer): Promise<void> {
  await archive.add(name, bytes.length, [bytes])
}
