/** Images are opened by the transport of their name, whatever it is. */
import type { ImageSource } from '../store/image-source.ts'
import type { LayoutOptions } from '../store/layout.ts'
import { transportOf, type ImageName } from './list.ts'

/** @throws LAYOUT_INVALID, ARCHIVE_INVALID, TAR_INVALID, DOCUMENT_INVALID, LIMIT_EXCEEDED */
export function openImages(name: ImageName, options: LayoutOptions = {}): Promise<ImageSource> {
  return transportOf(name).open(name, options)
}

/** The tag to look for in the index of what was opened; undefined for the only image that is there. */
export function tagInIndex(name: ImageName): string | undefined {
  return transportOf(name).tagInIndex(name)
}

/**
 * The same, while no blob can be collected. `pause` is awaited while a collection runs, and throws to give up.
 */
export async function whileOpen<T>(
  name: ImageName,
  options: LayoutOptions,
  pause: () => Promise<void>,
  act: (source: ImageSource) => Promise<T>
): Promise<T> {
  const source = await openImages(name, options)
  const hold = await transportOf(name).hold?.(name, pause)
  try {
    return await act(source)
  } finally {
    hold?.release()
  }
}
