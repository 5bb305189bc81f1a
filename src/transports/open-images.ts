/** Opens images with the transport of their name. */
import type { ImageSource } from '../store/image-source.ts'
import { transportOf, type ImageName } from './list.ts'
import type { OpenOptions } from './transport.ts'

/** @throws LAYOUT_INVALID, ARCHIVE_INVALID, TAR_INVALID, DOCUMENT_INVALID, LIMIT_EXCEEDED */
export function openImages(name: ImageName, options: OpenOptions = {}): Promise<ImageSource> {
  return transportOf(name).open(name, options)
}

/** Opens and closes them. */
export async function withImages<T>(
  name: ImageName,
  options: OpenOptions,
  act: (source: ImageSource) => T | Promise<T>
): Promise<T> {
  const source = await openImages(name, options)
  try {
    return await act(source)
  } finally {
    source.close()
  }
}

/** What `findEntry` looks for in the index of the opened place. */
export function tagInIndex(name: ImageName): string | undefined {
  return transportOf(name).tagInIndex(name)
}

/** The same, while garbage collections are kept away. `pause` is awaited while one runs, and can throw to give up. */
export async function whileOpen<T>(
  name: ImageName,
  options: OpenOptions,
  pause: () => Promise<void>,
  act: (source: ImageSource) => Promise<T>
): Promise<T> {
  return withImages(name, options, async (source) => {
    const hold = await transportOf(name).hold?.(name, pause)
    try {
      return await act(source)
    } finally {
      hold?.release()
    }
  })
}
