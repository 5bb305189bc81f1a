/** Where an image is read from, whatever holds it. What reads archives is loaded only for one. */
import { fullDockerName } from '../../image/docker-name.ts'
import { DEFAULT_TAG, type ImageName } from '../../image/reference.ts'
import type { ImageSource } from '../../store/image-source.ts'
import { openLayout, type LayoutOptions } from '../../store/layout.ts'

/** @throws LAYOUT_INVALID, ARCHIVE_INVALID, TAR_INVALID, DOCUMENT_INVALID, LIMIT_EXCEEDED */
export async function openSource(
  { transport, path }: Pick<ImageName, 'transport' | 'path'>,
  options: LayoutOptions = {}
): Promise<ImageSource> {
  switch (transport) {
    case 'oci':
      return openLayout(path, options)
    case 'oci-archive':
      return (await import('../../archive/oci-archive.ts')).openOciArchive(path, options)
    case 'docker-archive':
      return (await import('../../archive/docker-archive.ts')).openDockerArchive(path, options)
  }
}

/** The tag to look for in the source's index; undefined for the only image that is there. */
export function tagInSource({ transport, tag }: ImageName): string | undefined {
  switch (transport) {
    case 'oci':
      return tag ?? DEFAULT_TAG
    case 'oci-archive':
      return tag
    case 'docker-archive':
      return tag === undefined || tag.startsWith('@') ? tag : fullDockerName(tag)
  }
}
