/**
 * The content of a directory: blocks of entries, each with its names behind it. Entries are sorted by name, in bytes,
 * and fill each block as far as they fit.
 */
import type { ByteString } from '../bytes.ts'
import type { BlockBuffer } from './block-buffer.ts'
import { BLOCK, DIRENT_SIZE } from './format.ts'

/** A name with its place in the table of inodes. */
export interface Dirent {
  nid: number
  type: number
}

/** All names of a directory in the order in which they are written. */
export function sortedNames(names: Iterable<ByteString>): ByteString[] {
  return [...names, '.', '..'].sort()
}

export function isDot(name: ByteString): boolean {
  return name === '.' || name === '..'
}

/** Sorted names as they fall into blocks. */
export interface NameBlocks {
  /** The index of the first name of each block. */
  starts: readonly number[]
  /** How many bytes all blocks have: full ones, and the exact length of the last. */
  size: number
}

export function nameBlocks(names: readonly ByteString[]): NameBlocks {
  const starts = [0]
  let used = 0
  for (let i = 0; i < names.length; i++) {
    const bytes = DIRENT_SIZE + names[i]!.length
    if (used + bytes > BLOCK) {
      starts.push(i)
      used = 0
    }
    used += bytes
  }
  return { starts, size: (starts.length - 1) * BLOCK + used }
}

/**
 * Writes one block, only as far as it has content.
 * @param names of this block alone
 * @param direntOf by the index of its name in the block
 */
export function putDirectoryBlock(
  out: BlockBuffer,
  names: readonly ByteString[],
  direntOf: (index: number) => Dirent
): void {
  const text = names.join('')
  const table = names.length * DIRENT_SIZE
  const start = out.claim(table + text.length)
  const { bytes } = out
  let nameAt = table
  for (let i = 0, at = start; i < names.length; i++, at += DIRENT_SIZE) {
    const { nid, type } = direntOf(i)
    bytes.writeUInt32LE(nid % 2 ** 32, at)
    bytes.writeUInt32LE(Math.floor(nid / 2 ** 32), at + 4)
    bytes.writeUInt16LE(nameAt, at + 8)
    bytes.writeUInt8(type, at + 10)
    nameAt += names[i]!.length
  }
  bytes.write(text, start + table, 'latin1')
}
