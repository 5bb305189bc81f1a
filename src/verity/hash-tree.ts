/**
 * The hash tree of dm-verity: where its levels lie, and the superblock before them, as veritysetup(8) makes and reads them
 * (Documentation/admin-guide/device-mapper/verity.rst of the kernel; `lib/verity` of cryptsetup for the superblock).
 * Format 1, SHA-256 without a salt, blocks of 4096 bytes: the same data gives the same tree on any machine. Pure.
 */

/** Bytes of a block of data, and of one of the tree. */
export const VERITY_BLOCK = 4096
export const DIGEST_BYTES = 32
/** Digests in a block of the tree. */
const FAN_OUT = VERITY_BLOCK / DIGEST_BYTES

/** The block of the highest level, which follows the superblock. The root hash is its digest. */
export const TOP = 1

/** Blocks of the file that follow each other. */
export interface TreeLevel {
  start: number
  blocks: number
}

export interface TreeLayout {
  /** The lowest, with the digests of the data, comes first here, and last in the file. One block of data has none. */
  levels: readonly TreeLevel[]
  /** The length of the file, in blocks, with that of the superblock. */
  blocks: number
}

/** @param data how many blocks of data there are; at least one */
export function treeLayout(data: number): TreeLayout {
  const lengths: number[] = []
  for (let blocks = data; blocks > 1;) {
    blocks = Math.ceil(blocks / FAN_OUT)
    lengths.push(blocks)
  }
  let end = TOP
  const levels = lengths.toReversed().map((blocks) => {
    const start = end
    end += blocks
    return { start, blocks }
  })
  return { levels: levels.toReversed(), blocks: end }
}

/** Offsets within the superblock. Numbers are little endian. */
const SUPERBLOCK = {
  version: 8,
  hashType: 12,
  uuid: 16,
  algorithm: 32,
  dataBlockSize: 64,
  hashBlockSize: 68,
  dataBlocks: 72
} as const

/** What of the first block says anything, without the salt that there is none of. */
export const SUPERBLOCK_BYTES = 96

const SIGNATURE = 'verity\0\0'

/** The first block of the file. @param uuid 16 bytes */
export function treeHeader(data: number, uuid: Uint8Array): Buffer {
  const bytes = Buffer.alloc(VERITY_BLOCK)
  bytes.write(SIGNATURE, 'latin1')
  bytes.writeUInt32LE(1, SUPERBLOCK.version)
  bytes.writeUInt32LE(1, SUPERBLOCK.hashType)
  bytes.set(uuid, SUPERBLOCK.uuid)
  bytes.write('sha256', SUPERBLOCK.algorithm, 'latin1')
  bytes.writeUInt32LE(VERITY_BLOCK, SUPERBLOCK.dataBlockSize)
  bytes.writeUInt32LE(VERITY_BLOCK, SUPERBLOCK.hashBlockSize)
  bytes.writeBigUInt64LE(BigInt(data), SUPERBLOCK.dataBlocks)
  return bytes
}
