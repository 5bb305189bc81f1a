/** Reads what is at the start of an image. */
import { fromBuffer, type ByteString } from '../bytes.ts'
import type { Timespec } from '../tar/entry.ts'
import { crc32c } from './crc32c.ts'
import {
  BLOCK,
  COMPATIBLE,
  DEVICE_SLOT,
  INCOMPATIBLE,
  MAGIC,
  SUPERBLOCK,
  SUPERBLOCK_AT,
  SUPERBLOCK_SIZE
} from './format.ts'
import { invalid, readBytes, type ReadableDevice } from './read-source.ts'

const UUID_BYTES = 16

export interface Superblock {
  rootNid: number
  /** As the image says; only statfs shows it. */
  inodes: number
  /** The length of the image, without anything that follows it. */
  blocks: number
  inodeArea: number
  sharedXattrs: number
  /** The time of compact inodes. */
  epoch: Timespec
  uuid: Buffer
  hasChecksum: boolean
  hasChunks: boolean
  devices: readonly DeviceSlot[]
}

export interface DeviceSlot {
  tag: ByteString
  blocks: number
  /** Where it begins if all devices are one; 0 if the image does not say. */
  start: number
}

/** @throws EROFS_INVALID */
export function readSuperblock(image: ReadableDevice): Superblock {
  const block = readBytes(image, SUPERBLOCK_AT, BLOCK - SUPERBLOCK_AT)
  if (block.readUInt32LE(SUPERBLOCK.magic) !== MAGIC) throw invalid('it is not an EROFS image')
  const hasChecksum = (block.readUInt32LE(SUPERBLOCK.compatible) & COMPATIBLE.checksum) !== 0
  if (hasChecksum) verifyChecksum(block)
  refuseFeatures(block)
  const superblock = {
    ...fields(block),
    hasChecksum,
    hasChunks: hasFeature(block, INCOMPATIBLE.chunks)
  }
  if (superblock.blocks * BLOCK > image.length)
    throw invalid('it is cut short', {
      expected: `${superblock.blocks * BLOCK} bytes`,
      found: image.length
    })
  return { ...superblock, devices: readDevices(image, block, superblock.blocks) }
}

/**
 * The UUID (hex) of an image, whatever its features are and however damaged the rest is; undefined if this does not begin
 * as an EROFS image.
 */
export function uuidOf(image: ReadableDevice): string | undefined {
  if (image.length < BLOCK) return undefined
  const block = readBytes(image, SUPERBLOCK_AT, SUPERBLOCK_SIZE)
  if (block.readUInt32LE(SUPERBLOCK.magic) !== MAGIC) return undefined
  return block.toString('hex', SUPERBLOCK.uuid, SUPERBLOCK.uuid + UUID_BYTES)
}

function fields(block: Buffer): Omit<Superblock, 'hasChecksum' | 'hasChunks' | 'devices'> {
  return {
    rootNid: block.readUInt16LE(SUPERBLOCK.root),
    inodes: Number(block.readBigUInt64LE(SUPERBLOCK.inodes)),
    blocks: block.readUInt32LE(SUPERBLOCK.blocks),
    inodeArea: block.readUInt32LE(SUPERBLOCK.inodeArea),
    sharedXattrs: block.readUInt32LE(SUPERBLOCK.sharedXattrs),
    epoch: {
      sec: Number(block.readBigInt64LE(SUPERBLOCK.epoch)),
      nsec: block.readUInt32LE(SUPERBLOCK.epochNanoseconds)
    },
    uuid: Buffer.from(block.subarray(SUPERBLOCK.uuid, SUPERBLOCK.uuid + UUID_BYTES))
  }
}

function verifyChecksum(block: Buffer): void {
  const expected = block.readUInt32LE(SUPERBLOCK.checksum)
  const copy = Buffer.from(block)
  copy.writeUInt32LE(0, SUPERBLOCK.checksum)
  if (crc32c(copy) !== expected) throw invalid('the checksum of its superblock is wrong')
}

function refuseFeatures(block: Buffer): void {
  if (2 ** block.readUInt8(SUPERBLOCK.blockBits) !== BLOCK)
    throw invalid(`its blocks do not have ${BLOCK} bytes`)
  if (block.readUInt8(SUPERBLOCK.directoryBits) !== 0)
    throw invalid('its directories have blocks of another size')
  if (block.readUInt16LE(SUPERBLOCK.compression) !== 0) throw invalid('it is compressed')
  const unknown =
    (block.readUInt32LE(SUPERBLOCK.incompatible) &
      ~(INCOMPATIBLE.chunks | INCOMPATIBLE.devices)) >>>
    0
  if (unknown !== 0) throw invalid(`it has features that are not supported: ${hex(unknown)}`)
}

function hasFeature(block: Buffer, flag: number): boolean {
  return (block.readUInt32LE(SUPERBLOCK.incompatible) & flag) !== 0
}

function hex(flags: number): string {
  return `0x${flags.toString(16)}`
}

function readDevices(image: ReadableDevice, block: Buffer, blocks: number): DeviceSlot[] {
  const count = block.readUInt16LE(SUPERBLOCK.devices)
  if (!hasFeature(block, INCOMPATIBLE.devices)) {
    if (count > 0) throw invalid('it names devices without the feature for them')
    return []
  }
  const at = block.readUInt16LE(SUPERBLOCK.deviceTable) * DEVICE_SLOT.size
  const isBehind = at >= SUPERBLOCK_AT + SUPERBLOCK_SIZE
  if (!isBehind || at + count * DEVICE_SLOT.size > blocks * BLOCK)
    throw invalid('its table of devices is out of place')
  const table = readBytes(image, at, count * DEVICE_SLOT.size)
  const slots = Array.from({ length: count }, (_, i) => readSlot(table, i * DEVICE_SLOT.size))
  refuseOverlaps(slots, blocks)
  return slots
}

function readSlot(table: Buffer, at: number): DeviceSlot {
  const tag = fromBuffer(table.subarray(at, at + DEVICE_SLOT.blocks))
  return {
    tag: tag.replace(/\0+$/, ''),
    blocks: table.readUInt32LE(at + DEVICE_SLOT.blocks),
    start: table.readUInt32LE(at + DEVICE_SLOT.start)
  }
}

/** If devices are to be one, each must begin where the one before ends, or later. */
function refuseOverlaps(slots: readonly DeviceSlot[], blocks: number): void {
  let end = blocks
  for (const slot of slots) {
    if (slot.start === 0) continue
    if (slot.start < end) throw invalid('its devices overlap')
    end = slot.start + slot.blocks
  }
}
