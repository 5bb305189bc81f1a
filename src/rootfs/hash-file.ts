/** Hashing files of a tree. */
import { createHash } from 'node:crypto'
import { display, type ByteString } from '../bytes.ts'
import { withFacts } from '../errors.ts'
import { baseName, parentPath } from '../plan/names.ts'
import type { Ledger } from '../sys/ledger.ts'
import { status } from '../sys/status.ts'
import { DirectoryCursor } from './directory-cursor.ts'
import { hashPairs } from './hash-pairs.ts'
import { BODY_CHUNK, readBody } from './read-body.ts'

/** SHA-256 (hex) of one file in a directory. `check` is called between pieces and may throw. @throws FILE_CHANGED, SYSCALL_FAILED */
export function hashFile(directory: number, name: ByteString, check: () => void): string {
  const hasher = new FileHasher(directory)
  try {
    return hasher.hash(name, check)
  } finally {
    hasher.release()
  }
}

/** Hashes files below a root. The caller must call `release`. */
export class FileHasher {
  private readonly cursor: DirectoryCursor
  private readonly buffer = Buffer.allocUnsafeSlow(BODY_CHUNK)

  /** @param root descriptor of the directory that paths are relative to; stays the caller's */
  constructor(root: number, ledger?: Ledger) {
    this.cursor = new DirectoryCursor(root, ledger)
  }

  release(): void {
    this.cursor.release()
  }

  /**
   * SHA-256 (hex) of a regular file. `check` is called between pieces and may throw. @throws FILE_CHANGED,
   * SYSCALL_FAILED
   */
  hash(path: ByteString, check: () => void): string {
    const hash = createHash('sha256')
    this.read(path, (piece) => {
      check()
      hash.update(piece)
    })
    return hash.digest('hex')
  }

  /** The same for several files, in their order: two are hashed in the time of one. */
  hashAll(paths: readonly ByteString[], check: () => void): string[] {
    return hashPairs(paths.length, (index, room) => this.pieces(paths[index]!, room), check)
  }

  /** Reads a regular file in pieces, each valid only during its call. @throws FILE_CHANGED, SYSCALL_FAILED */
  read(path: ByteString, take: (piece: Buffer) => void): void {
    for (const piece of this.pieces(path, () => this.buffer)) take(piece)
  }

  /** The directory is only needed until the first piece. */
  private *pieces(path: ByteString, room: () => Buffer): Generator<Buffer> {
    try {
      const directory = this.cursor.at(parentPath(path))
      const name = baseName(path)
      const found = status(directory, name)
      const lent = { lender: this.cursor.lender, path }
      yield* readBody(directory, name, found, room, lent)
    } catch (error) {
      throw withFacts(error, { entry: display(path) })
    }
  }
}
