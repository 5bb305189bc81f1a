/** Writes what is at the start of an image: its superblock, and the table of the devices that it needs. */
import { toBuffer, type ByteString } from '../bytes.ts'
import { crc32c } from './crc32c.ts'
import {
  aligned,
  BLOCK,
  blocksOf,
  COMPATIBLE,
  DEVICE_SLOT,
  MAGIC,
  SUPERBLOCK,
  SUPERBLOCK_AT,
  SUPERBLOCK_SIZE
} from './format.ts'

/** Another image, or any file of whole blocks, that contains bodies. */
export interface DeviceLength {
  /** Its whole length. Where all devices are one, they follow each other with exactly that many blocks. */
  blocks: number
}

export interface Device extends DeviceLength {
  /** Up to 64 bytes that say which it is, as the digits of a SHA-256; no reader compares them. */
  tag: ByteString
}

export interface ImageHeader {
  /** 16 bytes. */
  uuid: Uint8Array
  root: number
  inodes: number
  blocks: number
  inodeArea: number
  /** Features that a kernel must know. */
  incompatible: number
  devices: readonly Device[]
}

/** The table follows the superblock. */
const TABLE_AT = SUPERBLOCK_AT + SUPERBLOCK_SIZE

/** How many blocks the header has. */
export function headerBlocks(devices: number): number {
  return blocksOf(TABLE_AT + devices * DEVICE_SLOT.size)
}

/** Where each device begins if all of them follow the image of so many blocks; the last number is the end. */
export function deviceStarts(blocks: number, devices: readonly DeviceLength[]): number[] {
  const starts = [blocks]
  for (const device of devices) starts.push(starts.at(-1)! + device.blocks)
  return starts
}

export function encodeHeader(header: ImageHeader): Buffer {
  const { devices } = header
  const bytes = Buffer.alloc(headerBlocks(devices.length) * BLOCK)
  writeSuperblock(bytes.subarray(SUPERBLOCK_AT), header)
  const starts = deviceStarts(header.blocks, devices)
  devices.forEach(({ blocks, tag }, i) => {
    const slot = bytes.subarray(TABLE_AT + i * DEVICE_SLOT.size)
    toBuffer(tag).copy(slot)
    slot.writeUInt32LE(blocks, DEVICE_SLOT.blocks)
    slot.writeUInt32LE(starts[i]!, DEVICE_SLOT.start)
  })
  const checked = bytes.subarray(SUPERBLOCK_AT, BLOCK)
  checked.writeUInt32LE(crc32c(checked), SUPERBLOCK.checksum)
  return bytes
}

function writeSuperblock(block: Buffer, header: ImageHeader): void {
  block.writeUInt32LE(MAGIC, SUPERBLOCK.magic)
  block.writeUInt32LE(COMPATIBLE.checksum | COMPATIBLE.mtime, SUPERBLOCK.compatible)
  block.writeUInt8(Math.log2(BLOCK), SUPERBLOCK.blockBits)
  block.writeUInt16LE(header.root, SUPERBLOCK.root)
  block.writeUInt32LE(unmistakable(header.inodes), SUPERBLOCK.inodes)
  block.writeUInt32LE(header.blocks, SUPERBLOCK.blocks)
  block.writeUInt32LE(header.inodeArea, SUPERBLOCK.inodeArea)
  block.set(header.uuid, SUPERBLOCK.uuid)
  block.writeUInt32LE(header.incompatible, SUPERBLOCK.incompatible)
  if (header.devices.length === 0) return
  block.writeUInt16LE(header.devices.length, SUPERBLOCK.devices)
  block.writeUInt16LE(
    aligned(TABLE_AT, DEVICE_SLOT.size) / DEVICE_SLOT.size,
    SUPERBLOCK.deviceTable
  )
}

/** Where the number of inodes is, blkid looks for the magic numbers of minix. The number is only shown by df. */
const MINIX = new Set([0x137f, 0x138f, 0x2468, 0x2478])

function unmistakable(inodes: number): number {
  return MINIX.has(inodes & 0xffff) ? inodes + 1 : inodes
}
