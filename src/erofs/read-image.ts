/**
 * Reads images strictly, without any code of the writer: whatever the format does not allow is an error, also where
 * kernels do not look. Only what is written without compression and in blocks of 4 KiB can be read.
 */
import { fromBuffer, type ByteString } from '../bytes.ts'
import type { Xattr } from '../tar/entry.ts'
import { BLOCK } from './format.ts'
import { readBody, type BodyPart } from './read-body.ts'
import { readDirents, type ImageDirent } from './read-directory.ts'
import { readInode, type ImageInode } from './read-inode.ts'
import { invalid, readBytes, type ReadableDevice } from './read-source.ts'
import { readSuperblock, type Superblock } from './read-superblock.ts'
import { readXattrs } from './read-xattrs.ts'

export class ErofsImage {
  readonly superblock: Superblock
  private readonly devices: readonly ReadableDevice[]

  /**
   * @param devices the image, and then those of its table. The image alone stands for all of them, one after the other.
   * @throws EROFS_INVALID
   */
  constructor(devices: readonly ReadableDevice[]) {
    this.devices = devices
    this.superblock = readSuperblock(devices[0]!)
    this.compareDevices()
  }

  inode(nid: number): ImageInode {
    return readInode(this.devices[0]!, this.superblock, nid)
  }

  xattrs(inode: ImageInode): Xattr[] {
    return readXattrs(this.devices[0]!, this.superblock, inode)
  }

  /** Where the content of a file lies. */
  parts(inode: ImageInode): Iterable<BodyPart> {
    return readBody(this.devices, this.superblock, inode)
  }

  /** The whole content of a link or small file. */
  content(inode: ImageInode): Buffer {
    const bytes = Buffer.alloc(inode.size)
    for (const { position, length, place } of this.parts(inode))
      if (place !== undefined)
        readBytes(this.devices[place.device]!, place.offset, length).copy(bytes, position)
    return bytes
  }

  target(link: ImageInode): ByteString {
    const target = fromBuffer(this.content(link))
    if (target === '' || target.includes('\0')) throw invalid('a link has no sound target')
    return target
  }

  dirents(directory: ImageInode): Iterable<ImageDirent> {
    return readDirents(this.blocks(directory))
  }

  private *blocks(directory: ImageInode): Generator<Buffer> {
    for (const { length, place } of this.parts(directory))
      for (let at = 0; place !== undefined && at < length; at += BLOCK)
        yield readBytes(
          this.devices[place.device]!,
          place.offset + at,
          Math.min(BLOCK, length - at)
        )
  }

  private compareDevices(): void {
    const { devices: slots } = this.superblock
    const given = this.devices.slice(1)
    if (given.length > 0 && given.length !== slots.length)
      throw invalid('it needs another number of devices', {
        expected: slots.length,
        found: given.length
      })
    given.forEach(({ length }, i) => {
      if (length !== slots[i]!.blocks * BLOCK)
        throw invalid(`device ${i + 1} has another size`, {
          expected: `${slots[i]!.blocks * BLOCK} bytes`,
          found: length
        })
    })
    const last = slots.at(-1)
    if (given.length === 0 && last !== undefined && isOutside(last, this.devices[0]!))
      throw invalid('not all of its devices follow it')
  }
}

function isOutside(
  { start, blocks }: { start: number; blocks: number },
  { length }: ReadableDevice
): boolean {
  return start === 0 || (start + blocks) * BLOCK > length
}
