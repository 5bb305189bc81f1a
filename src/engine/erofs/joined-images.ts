/**
 * Images of layers, and the image that joins them, wherever their files are. Which belong together is said by the images
 * themselves: a layer's has a UUID that follows from its diff ID, and the table of devices in the image that joins them
 * has the UUID and the length of each, in their order.
 */
import { withFacts, withHint } from '../../errors.ts'
import { BLOCK } from '../../erofs/format.ts'
import type { DeviceSlot } from '../../erofs/read-superblock.ts'
import type { Digest } from '../../image/digest.ts'
import { erofsFacts, imageUuid, type ErofsFacts } from '../../rootfs/read-erofs.ts'
import { close } from '../../sys/files.ts'
import { status } from '../../sys/status.ts'
import { joinedUuid, layerUuid } from './image-uuid.ts'
import { another, byDigests, invalid, MAKE_AGAIN, nameOf, openNamed } from './named-image.ts'
import type { OpenImages } from './open-images.ts'

/** What `makeErofs` makes has digests of layers in its table, which are longer. */
const UUID_DIGITS = 32

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
    const [image, ...devices] = files
    compareDevices(image!, devices)
    return act({ merged: image!, devices })
  })
}

/** Whether the image that joins exactly these layers is at `merged`. */
export function isJoined(merged: string, layers: readonly LayerFile[], chainId: Digest): boolean {
  const paths = [merged, ...layers.map(({ path }) => path)]
  try {
    return withFiles(paths, ([image, ...files]) => {
      const { uuid, devices } = compareDevices(image!, files)
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
  return withFiles([path], ([file]) => {
    const { uuid, blocks } = factsOf(file!)
    const expected = deviceTag(diffId)
    if (uuid !== expected) throw another(file!, expected, uuid)
    return blocks
  })
}

/** Says in the table of devices which layer each is. */
export function deviceTag(diffId: Digest): string {
  return hex(layerUuid(diffId))
}

/** Compares the table of devices with what is there. @returns what the image that joins them says */
function compareDevices(merged: number, files: readonly number[]): ErofsFacts {
  const facts = factsOf(merged)
  const { devices } = facts
  const digest = devices.find(({ tag }) => tag.length > UUID_DIGITS)?.tag
  if (digest !== undefined) throw byDigests(merged, digest)
  if (devices.length !== files.length)
    throw invalid(merged, 'it joins another number of layers', {
      expected: devices.length,
      found: files.length
    })
  devices.forEach((device, i) => compareDevice(files[i]!, device))
  return facts
}

/** The UUID comes first: what is another layer has another size, too. */
function compareDevice(file: number, { tag, blocks }: DeviceSlot): void {
  const found = imageUuid(file)
  if (found !== undefined && found !== tag) throw another(file, tag, found)
  compareSize(file, blocks)
  factsOf(file)
}

function compareSize(file: number, blocks: number): void {
  const { size } = status(file, '')
  const expected = blocks * BLOCK
  if (size === expected) return
  const reason = size < expected ? 'it was cut short' : 'it was lengthened'
  throw invalid(file, reason, { expected: `${expected} bytes`, found: `${size} bytes` })
}

function factsOf(file: number): ErofsFacts & { blocks: number } {
  try {
    const facts = erofsFacts(file)
    compareSize(file, facts.blocks)
    return facts
  } catch (error) {
    throw withHint(withFacts(error, { file: nameOf(file) }), MAKE_AGAIN)
  }
}

function withFiles<T>(paths: readonly string[], act: (files: readonly number[]) => T): T {
  const files: number[] = []
  try {
    for (const path of paths) files.push(openNamed(path))
    return act(files)
  } finally {
    for (const file of files) close(file)
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
