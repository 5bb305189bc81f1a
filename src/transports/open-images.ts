/** Opens images with the transport of their name. */
import type { ImageSource } from '../store/image-source.ts'
import { transportOf, type ImageName } from './list.ts'
import type { ChangeableImages, ChangeOptions, OpenOptions } from './transport.ts'

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

/** Whether an image is in a layout directory. */
export function isInLayout(name: ImageName): boolean {
  return transportOf(name).inLayout !== undefined
}

/** Whether the index of a place that is opened has all images there. */
export function hasIndex(name: ImageName): boolean {
  return transportOf(name).tags === undefined
}

/** All tags of a place; undefined if the index of the opened place has them. */
export function tagsAt(name: ImageName, options: OpenOptions): Promise<string[]> | undefined {
  return transportOf(name).tags?.(name, options)
}

/** Only for names that `parseChangeable` lets pass. @throws LAYOUT_INVALID, REGISTRY_*, MANIFEST_NOT_FOUND, … */
export function changeImages(name: ImageName, options: ChangeOptions): Promise<ChangeableImages> {
  return transportOf(name).change!(name, options)
}

/** What `findEntry` looks for in the index of the opened place. */
export function tagInIndex(name: ImageName): string | undefined {
  return transportOf(name).tagInIndex(name)
}

/** Runs `act` while the place is open and held. */
export async function whileOpen<T>(
  name: ImageName,
  options: OpenOptions,
  pause: () => Promise<void>,
  act: (source: ImageSource) => Promise<T>
): Promise<T> {
  const source = await openHeld(name, options, pause)
  try {
    return await act(source)
  } finally {
    source.close()
  }
}

/**
 * Opens a place and keeps garbage collections away until it is closed. `pause` is awaited while one runs, and can throw
 * to give up.
 */
export async function openHeld(
  name: ImageName,
  options: OpenOptions,
  pause: () => Promise<void>
): Promise<ImageSource> {
  const source = await openImages(name, options)
  try {
    const hold = await transportOf(name).hold?.(name, pause)
    if (hold === undefined) return source
    const close = (): void => {
      hold.release()
      source.close()
    }
    return { ...source, close }
  } catch (error) {
    source.close()
    throw error
  }
}
