/** Opens images with the transport of their name. */
import type { ImageSource } from '../store/image-source.ts'
import type { LayoutOptions } from '../store/layout.ts'
import { transportOf, type ImageName } from './list.ts'

/** @throws LAYOUT_INVALID, ARCHIVE_INVALID, TAR_INVALID, DOCUMENT_INVALID, LIMIT_EXCEEDED */
export function openImages(name: ImageName, options: LayoutOptions = {}): Promise<ImageSource> {
  return transportOf(name).open(name, options)
}

/** What `findEntry` looks for in the index of the opened place. */
export function tagInIndex(name: ImageName): string | undefined {
  return transportOf(name).tagInIndex(name)
}

/** The same, while garbage collections are kept away. `pause` is awaited while one runs, and can throw to give up. */
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
