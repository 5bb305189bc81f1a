/**
 * The content of a directory: blocks of entries, each with its names behind it. Entries are sorted by name, in bytes,
 * and fill each block as far as they fit.
 */
import type { ByteString } from '../bytes.ts'
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

/** How many bytes the content has: full blocks, and the exact length of the last. */
export function directorySize(names: readonly ByteString[]): number {
  let blocks = 0
  let used = 0
  for (const name of names) {
    const bytes = DIRENT_SIZE + name.length
    if (used + bytes > BLOCK) {
      blocks++
      used = 0
    }
    used += bytes
  }
  return blocks * BLOCK + used
}

/**
 * The content of a directory, in pieces of a block; the last is as long as it needs to be.
 * @param direntOf by the index of its name
 */
export function* directoryBlocks(
  names: readonly ByteString[],
  direntOf: (index: number) => Dirent
): Generator<Buffer> {
  let first = 0
  let used = 0
  for (let i = 0; i < names.length; i++) {
    const bytes = DIRENT_SIZE + names[i]!.length
    if (used + bytes > BLOCK) {
      yield directoryBlock(names, first, i, BLOCK, direntOf)
      first = i
      used = 0
    }
    used += bytes
  }
  yield directoryBlock(names, first, names.length, used, direntOf)
}

function directoryBlock(
  names: readonly ByteString[],
  first: number,
  end: number,
  size: number,
  direntOf: (index: number) => Dirent
): Buffer {
  const block = Buffer.alloc(size)
  let nameAt = (end - first) * DIRENT_SIZE
  for (let i = first, at = 0; i < end; i++, at += DIRENT_SIZE) {
    const { nid, type } = direntOf(i)
    block.writeUInt32LE(nid % 2 ** 32, at)
    block.writeUInt32LE(Math.floor(nid / 2 ** 32), at + 4)
    block.writeUInt16LE(nameAt, at + 8)
    block.writeUInt8(type, at + 10)
    nameAt += block.write(names[i]!, nameAt, 'latin1')
  }
  return block
}
