/** Writes the hash tree of a file, for dm-verity. */
import type { ByteString } from '../bytes.ts'
import { flush } from '../sys/durable.ts'
import { close, createFile, openFile, writeAllAt } from '../sys/files.ts'
import { addressOf } from '../sys/libc.ts'
import { readFully } from '../sys/read.ts'
import { streamHash } from '../sys/sha256.ts'
import { status } from '../sys/status.ts'
import {
  DIGEST_BYTES,
  treeHeader,
  treeLayout,
  VERITY_BLOCK,
  type TreeLevel
} from '../verity/hash-tree.ts'
import { fileChanged } from './read-body.ts'
import { IMAGE_MODE } from './write-erofs.ts'

export interface HashTree {
  /** In hex. Whoever trusts it can trust every block of the file. */
  rootHash: string
  /** Bytes of the tree's file. */
  size: number
}

/**
 * Makes the file `tree` in the directory of a file of whole blocks, durably.
 * @param uuid of the tree, 16 bytes
 * @param check called between pieces; may throw
 * @throws SyscallError; FILE_CHANGED if the file is cut meanwhile
 */
export function writeHashTree(
  directory: number,
  { name, tree, uuid }: { name: ByteString; tree: ByteString; uuid: Uint8Array },
  check: () => void
): HashTree {
  const files: number[] = []
  try {
    files.push(openFile(directory, name))
    files.push(createFile(directory, tree, IMAGE_MODE))
    files.push(openFile(directory, tree))
    const [data, output, written] = files
    return new TreeWriter(name, output!, check).write(data!, written!, uuid)
  } finally {
    for (const file of files) close(file)
  }
}

/** Read at once: the digests of that many blocks fill one block. */
const PIECE_BLOCKS = VERITY_BLOCK / DIGEST_BYTES

class TreeWriter {
  private readonly name: ByteString
  private readonly output: number
  private readonly check: () => void
  private readonly piece = Buffer.allocUnsafeSlow(PIECE_BLOCKS * VERITY_BLOCK)
  private readonly digests = Buffer.allocUnsafeSlow(VERITY_BLOCK)
  private readonly one = streamHash('sha256')
  private readonly two = streamHash('sha256')

  constructor(name: ByteString, output: number, check: () => void) {
    this.name = name
    this.output = output
    this.check = check
  }

  /** Each level is read again for the one above it, so memory does not grow with the file. */
  write(data: number, written: number, uuid: Uint8Array): HashTree {
    const blocks = status(data, '').size / VERITY_BLOCK
    const layout = treeLayout(blocks)
    let below: TreeLevel = { start: 0, blocks }
    let source = data
    for (const level of layout.levels) {
      this.level(source, below, level)
      source = written
      below = level
    }
    this.hashPiece(source, below, 0)
    const rootHash = this.digests.toString('hex', 0, DIGEST_BYTES)
    this.put(treeHeader(blocks, uuid), 0)
    flush(this.output)
    return { rootHash, size: layout.blocks * VERITY_BLOCK }
  }

  private level(source: number, below: TreeLevel, { start }: TreeLevel): void {
    for (let done = 0; done < below.blocks; done += PIECE_BLOCKS) {
      this.check()
      this.hashPiece(source, below, done)
      this.put(this.digests, start + done / PIECE_BLOCKS)
    }
  }

  /** The digests of the next blocks, with zeros behind the last. */
  private hashPiece(source: number, { start, blocks }: TreeLevel, done: number): void {
    const count = Math.min(PIECE_BLOCKS, blocks - done)
    const length = count * VERITY_BLOCK
    if (readFully(source, this.piece, length, (start + done) * VERITY_BLOCK) < length)
      throw fileChanged(this.name)
    this.digests.fill(0)
    for (let block = 0; block < count; block += 2) this.hashTwo(block, block + 1 < count)
  }

  /** Two blocks are hashed in the time of one. */
  private hashTwo(block: number, isPair: boolean): void {
    const { one, two, digests } = this
    this.begin(one, block)
    if (isPair) {
      this.begin(two, block + 1)
      one.settle(two)
    }
    digests.write(one.digest('binary'), block * DIGEST_BYTES, 'binary')
    if (isPair) digests.write(two.digest('binary'), (block + 1) * DIGEST_BYTES, 'binary')
  }

  private begin(hash: typeof this.one, block: number): void {
    hash.reset()
    hash.update(this.piece, block * VERITY_BLOCK, (block + 1) * VERITY_BLOCK)
  }

  private put(block: Buffer, position: number): void {
    writeAllAt(this.output, addressOf(block), block.length, position * VERITY_BLOCK)
  }
}
