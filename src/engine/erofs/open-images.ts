/** Opens the files of a set, and finds out whether they are those that belong together. */
import { withFacts } from '../../errors.ts'
import { openImage } from '../../rootfs/open-image.ts'
import { openErofs } from '../../rootfs/read-erofs.ts'
import { close } from '../../sys/files.ts'
import { status } from '../../sys/status.ts'
import { compareFile, compareImage, expectedImages } from './compare-images.ts'
import type { ErofsFile } from './image-set.ts'
import { withWholePath, type OpenedImageSet } from './read-image-set.ts'

/** Descriptors of files. */
export interface OpenImages {
  merged: number
  /** Bottom first. Layers with the same content share one. */
  devices: readonly number[]
}

/**
 * Calls `act` with all files of a set. Nobody can exchange a file after it was checked, but what is in it is only as
 * trustworthy as those who may write to it: `verifyErofs` reads everything.
 * @throws EROFS_INVALID for a file that is missing, or is not the one that was made
 */
export function withImages<T>(opened: OpenedImageSet, act: (open: OpenImages) => T): T {
  const { set } = opened
  const files = new Map<string, number>()
  try {
    for (const file of [set.merged, ...set.devices])
      if (!files.has(file.name)) files.set(file.name, openOne(opened, file))
    const handle = ({ name }: ErofsFile): number => files.get(name)!
    for (const image of expectedImages(set))
      about(opened, image, () =>
        compareImage(image, openErofs([image, ...image.devices].map(handle)).facts)
      )
    return act({ merged: handle(set.merged), devices: set.devices.map(handle) })
  } finally {
    for (const file of files.values()) close(file)
  }
}

function openOne(opened: OpenedImageSet, file: ErofsFile): number {
  return about(opened, file, () => {
    const fd = openImage(opened.directory, file.name)
    try {
      compareFile(file, status(fd, ''))
    } catch (error) {
      close(fd)
      throw error
    }
    return fd
  })
}

function about<T>({ path }: OpenedImageSet, { name }: ErofsFile, act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw withFacts(withWholePath(error, path), { file: name, path })
  }
}
