/** The disk for virtual machines: the images of a set, one after the other, as a descriptor says it. */
import { fromText, toBuffer } from '../../bytes.ts'
import { vmdkDescriptor } from '../../vmdk/descriptor.ts'
import type { ImageSet } from './image-set.ts'
import { mergedUuid } from './image-uuid.ts'

export const DISK_FILE = 'disk.vmdk'

/**
 * The content of the descriptor. It follows from the set alone, and names files relative to itself, so it stays right
 * wherever the directory is moved.
 * @throws LIMIT_EXCEEDED for too many devices
 */
export function diskDescriptor({ image, merged, linear, devices }: ImageSet): Buffer {
  const files = [linear ?? merged, ...devices].map(({ name, size }) => ({
    name: fromText(name),
    size
  }))
  const form = linear === undefined ? 'devices' : 'linear'
  return toBuffer(vmdkDescriptor(files, mergedUuid(image.chainId, form)))
}
