/** Copying an image to an oci-archive. */
import { TarFile } from '../../archive/tar-file.ts'
import { OCI_INDEX } from '../../image/media-types.ts'
import { indexBytes } from '../../image/serialise.ts'
import { REF_NAME, withTag } from '../../image/tags.ts'
import type { Descriptor, ImageIndex } from '../../image/types.ts'
import { blobChunks } from '../../store/copy-blob.ts'
import { relativeBlobPath, type ImageSource } from '../../store/image-source.ts'
import { layoutFileBytes } from '../../store/new-layout.ts'
import type { ReachableBlob } from '../../store/reachable.ts'
import { heedSignals } from '../operation/abort.ts'
import { leftoverTo } from '../operation/leftover.ts'
import type { CopySettings } from './copy-settings.ts'

/** A layout with one entry, as a tar file that depends on nothing but the image. */
export async function copyToOciArchive(
  to: { path: string; tag: string | undefined },
  root: Descriptor,
  source: ImageSource,
  blobs: readonly ReachableBlob[],
  { onEvent, signal }: CopySettings
): Promise<void> {
  const archive = new TarFile(to.path, leftoverTo(onEvent))
  const pause = (): Promise<void> => heedSignals(signal)
  try {
    await addSmall(archive, 'oci-layout', layoutFileBytes())
    await addSmall(archive, 'index.json', indexBytes(indexOf(root, to.tag)))
    for (const directory of directories(blobs)) archive.directory(directory)
    for (const { descriptor } of distinctBlobs(blobs)) {
      const { digest, size } = descriptor
      const chunks = blobChunks(source.blobSource(descriptor), pause)
      await archive.add(relativeBlobPath(digest), size, chunks)
      onEvent({ type: 'blob', digest, size, outcome: 'copied' })
    }
    await archive.publish()
  } finally {
    archive.discard()
  }
}

function indexOf(root: Descriptor, tag: string | undefined): ImageIndex {
  const empty: ImageIndex = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] }
  const name = tag ?? root.annotations?.[REF_NAME]
  const isTag = name !== undefined && !name.startsWith('@')
  return isTag ? withTag(empty, name, root) : { ...empty, manifests: [withoutName(root)] }
}

/** A place in a docker-archive says nothing here. */
function withoutName(root: Descriptor): Descriptor {
  const annotations = Object.entries(root.annotations ?? {}).filter(([key]) => key !== REF_NAME)
  return { ...root, annotations: Object.fromEntries(annotations) }
}

function directories(blobs: readonly ReachableBlob[]): Set<string> {
  const algorithms = blobs.map(({ descriptor }) => relativeBlobPath(descriptor.digest))
  return new Set(['blobs', ...algorithms.map((path) => path.slice(0, path.lastIndexOf('/')))])
}

/** A blob may be reached in two roles, as a document and as bytes. */
function distinctBlobs(blobs: readonly ReachableBlob[]): Iterable<ReachableBlob> {
  return new Map(blobs.map((blob) => [blob.descriptor.digest, blob])).values()
}

async function addSmall(archive: TarFile, name: string, bytes: Buffer): Promise<void> {
  await archive.add(name, bytes.length, [bytes])
}
