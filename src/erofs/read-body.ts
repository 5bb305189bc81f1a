/** Where the content of an inode lies. */
import {
  BLOCK,
  blocksOf,
  CHUNK_INDEX_SIZE,
  CHUNK_INDEXES,
  LAYOUT,
  MAX_CHUNK_BITS,
  NO_BLOCK
} from './format.ts'
import type { ImageInode } from './read-inode.ts'
import { invalid, readBytes, type ReadableDevice } from './read-source.ts'
import type { Superblock } from './read-superblock.ts'

/** Bytes of a file that follow each other on one device. */
export interface BodyPart {
  /** In the file. */
  position: number
  length: number
  /** Undefined for a hole. */
  place: { device: number; offset: number } | undefined
}

/**
 * The parts of a file, directory or link, in order and without gaps. They come one by one, as a damaged image can
 * claim any number of them.
 * @throws EROFS_INVALID
 */
export function* readBody(
  devices: readonly ReadableDevice[],
  superblock: Superblock,
  inode: ImageInode
): Generator<BodyPart> {
  if (inode.size === 0) return
  const isChunked = inode.layout === LAYOUT.chunks
  for (const part of isChunked ? chunkParts(devices, superblock, inode) : blockParts(inode)) {
    const { length, place } = part
    if (place !== undefined && place.offset + length > devices[place.device]!.length)
      throw invalid('content lies outside of its device', { offset: place.offset })
    yield part
  }
}

function blockParts({ size, layout, start, xattrsAt, xattrBytes }: ImageInode): BodyPart[] {
  const tail = layout === LAYOUT.inline ? size % BLOCK : 0
  const inBlocks = size - tail
  const offset = xattrsAt + xattrBytes
  if (layout === LAYOUT.inline && tail === 0) throw invalid('an inode has an empty end', { offset })
  if (tail > 0 && (offset % BLOCK) + tail > BLOCK)
    throw invalid('the end of an inode crosses into the next block', { offset })
  if (inBlocks > 0 && start === NO_BLOCK) throw invalid('an inode has no first block', { offset })
  const parts: BodyPart[] = []
  if (inBlocks > 0)
    parts.push({ position: 0, length: inBlocks, place: { device: 0, offset: start * BLOCK } })
  if (tail > 0) parts.push({ position: inBlocks, length: tail, place: { device: 0, offset } })
  return parts
}

function* chunkParts(
  devices: readonly ReadableDevice[],
  superblock: Superblock,
  { size, start, xattrsAt, xattrBytes }: ImageInode
): Generator<BodyPart> {
  const bits = start & MAX_CHUNK_BITS
  let offset = Math.ceil((xattrsAt + xattrBytes) / CHUNK_INDEX_SIZE) * CHUNK_INDEX_SIZE
  if (start !== (CHUNK_INDEXES | bits)) throw invalid('chunks have an unknown format', { offset })
  const chunk = 2 ** bits * BLOCK
  for (let position = 0; position < size; position += chunk, offset += CHUNK_INDEX_SIZE) {
    const index = readBytes(devices[0]!, offset, CHUNK_INDEX_SIZE)
    const block = index.readUInt32LE(4)
    const length = Math.min(chunk, size - position)
    if (block !== NO_BLOCK && index.readUInt16LE(0) !== 0)
      throw invalid('the number of a block is out of range', { offset })
    const place =
      block === NO_BLOCK
        ? undefined
        : placeOf(devices, superblock, index.readUInt16LE(2), block, length)
    yield { position, length, place }
  }
}

/** One device without the others contains them all, each at its own start. */
function placeOf(
  devices: readonly ReadableDevice[],
  { devices: slots }: Superblock,
  device: number,
  block: number,
  length: number
): BodyPart['place'] {
  if (device === 0) return { device, offset: block * BLOCK }
  const slot = slots[device - 1]
  if (slot === undefined) throw invalid(`it has no device ${device}`)
  if (block + blocksOf(length) > slot.blocks)
    throw invalid('content lies outside of its device', { offset: block * BLOCK })
  return devices.length > 1
    ? { device, offset: block * BLOCK }
    : { device: 0, offset: (slot.start + block) * BLOCK }
}
