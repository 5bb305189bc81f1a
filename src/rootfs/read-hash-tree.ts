/** Reads the beginning of the hash tree of a file. */
import { createHash } from 'node:crypto'
import type { ByteString } from '../bytes.ts'
import { close, openFile } from '../sys/files.ts'
import { readFully } from '../sys/read.ts'
import { TOP, VERITY_BLOCK } from '../verity/hash-tree.ts'

export interface TreeFacts {
  /** The block with the superblock. */
  header: Buffer
  /** What the root hash of a tree of at least one level must be, in hex. */
  rootHash: string
}

/** @throws SyscallError */
export function treeFacts(directory: number, tree: ByteString): TreeFacts {
  const file = openFile(directory, tree)
  try {
    const blocks = Buffer.alloc((TOP + 1) * VERITY_BLOCK)
    readFully(file, blocks, blocks.length, 0)
    const top = blocks.subarray(TOP * VERITY_BLOCK)
    const rootHash = createHash('sha256').update(top).digest('hex')
    return { header: blocks.subarray(0, VERITY_BLOCK), rootHash }
  } finally {
    close(file)
  }
}
