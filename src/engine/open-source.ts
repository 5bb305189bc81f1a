/** Where an image is read from, whatever holds it. */
import { openDockerArchive } from '../archive/docker-archive.ts'
import { openOciArchive } from '../archive/oci-archive.ts'
import { fullDockerName } from '../image/docker-name.ts'
import type { ImageName } from '../image/reference.ts'
import type { ImageSource } from '../store/image-source.ts'
import { openLayout, type LayoutOptions } from '../store/layout.ts'

/** @throws LAYOUT_INVALID, ARCHIVE_INVALID, TAR_INVALID, DOCUMENT_INVALID, LIMIT_EXCEEDED */
export function openSource(
  { transport, path }: Pick<ImageName, 'transport' | 'path'>,
  options: LayoutOptions = {}
): ImageSource {
  switch (transport) {
    case 'oci':
      return openLayout(path, options)
    case 'oci-archive':
      return openOciArchive(path, options)
    case 'docker-archive':
      return openDockerArchive(path, options)
  }
}

/** The tag to look for in the source's index. */
export function tagInSource({ transport, tag }: ImageName): string | undefined {
  if (transport !== 'docker-archive' || tag === undefined || tag.startsWith('@')) return tag
  return fullDockerName(tag)
}
