/**
 * Images of layers, and the image that joins them, wherever their files are. Which belong together is said by the images
 * themselves: a layer's has a UUID that follows from its diff ID, and the table of devices in the image that joins them
 * has the UUID and the length of each, in their order.
 */
import { close } from '../../sys/files.ts'
import { OciUnpackError, withFacts, type Facts } from '../../errors.ts'
import { BLOCK } from '../../erofs/format.ts'
import type { Digest } from '../../image/digest.ts'
import { openErofs } from '../../rootfs/read-erofs.ts'
import { openRegularFile } from '../../sys/open-regular.ts'
import { joinedUuid, layerUuid } from './image-uuid.ts'
import type { OpenImages } from './open-images.ts'

/** The image of a layer. */
export interface LayerFile {
  path: string
  diffId: Digest
}

/**
 * Calls `act` with all files, opened and compared with each other. What is in them is only as trustworthy as those who may
 * write to them. @param layers paths, bottom first @throws EROFS_INVALID with the file and what is wrong with it
 */
export function withJoinedImages<T>(
  merged: string,
  layers: readonly string[],
  act: (open: OpenImages) => T
): T {
  return withFiles([merged, ...layers], (files) => {
    compareTags(files, [merged, ...layers])
    const [image, ...devices] = files
    return act({ merged: image!, devices })
  })
}

/** Whether the image that joins exactly these layers is at `merged`. */
export function isJoined(merged: string, layers: readonly LayerFile[], chainId: Digest): boolean {
  const paths = [merged, ...layers.map(({ path }) => path)]
  try {
    return withFiles(paths, (files) => {
      const { uuid, devices } = factsOf(merged, files)
      return (
        uuid === hex(joinedUuid(chainId)) &&
        devices.every(({ tag }, i) => tag === deviceTag(layers[i]!.diffId))
      )
    })
  } catch {
    return false // it is made again
  }
}

/** The length of the image of a layer in blocks. @throws EROFS_INVALID if the file is not that image, or cut or lengthened */
export function layerBlocks({ path, diffId }: LayerFile): number {
  return withFiles([path], (files) => {
    const { uuid, size } = factsOf(path, files)
    const expected = deviceTag(diffId)
    if (uuid !== expected)
      throw notThis(path, { expected: `UUID ${expected}`, found: `UUID ${uuid}` })
    return size / BLOCK
  })
}

/** Says in the table of devices which layer each is. */
export function deviceTag(diffId: Digest): string {
  return hex(layerUuid(diffId))
}

function compareTags(files: readonly number[], paths: readonly string[]): void {
  const { devices } = factsOf(paths[0]!, files)
  devices.forEach(({ tag }, i) => {
    const path = paths[i + 1]!
    const { uuid } = factsOf(path, [files[i + 1]!])
    if (uuid !== tag) throw notThis(path, { expected: `UUID ${tag}`, found: `UUID ${uuid}` })
  })
}

/** The reader compares the devices with the table: their number and their lengths. */
function factsOf(path: string, files: readonly number[]): ReturnType<typeof openErofs>['facts'] {
  return about(path, () => {
    const { image, facts } = openErofs(files)
    const expected = image.superblock.blocks * BLOCK
    if (facts.size !== expected)
      throw invalid({ reason: 'it was lengthened', expected, found: facts.size })
    return facts
  })
}

function withFiles<T>(paths: readonly string[], act: (files: readonly number[]) => T): T {
  const files: number[] = []
  try {
    for (const path of paths) files.push(openImage(path))
    return act(files)
  } finally {
    for (const file of files) close(file)
  }
}

function openImage(path: string): number {
  const file = openRegularFile(path, 'followed')
  if (file !== undefined) return file.fd
  throw invalid({ file: path, reason: 'it is not a regular file' })
}

function about<T>(file: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw withFacts(error, { file })
  }
}

function notThis(file: string, facts: Facts): OciUnpackError {
  return invalid({ file, reason: 'it is the image of something else', ...facts })
}

function invalid(facts: Facts): OciUnpackError {
  return new OciUnpackError('EROFS_INVALID', 'An EROFS image is not the one that was made.', {
    facts,
    hint: 'Make the images again.'
  })
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
