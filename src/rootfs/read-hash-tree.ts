/** Reads the hash tree of a file. */
import { createHash } from 'node:crypto'
import type { ByteString } from '../bytes.ts'
import { close, openFile } from '../sys/files.ts'
import { readFully } from '../sys/read.ts'
import { TOP, VERITY_BLOCK } from '../verity/hash-tree.ts'

/** What the root hash of a tree of at least one level must be, in hex. @throws SyscallError */
export function topHash(directory: number, tree: ByteString): string {
  const file = openFile(directory, tree)
  try {
    const block = Buffer.alloc(VERITY_BLOCK)
    readFully(file, block, VERITY_BLOCK, TOP * VERITY_BLOCK)
    return createHash('sha256').update(block).digest('hex')
  } finally {
    close(file)
  }
}
