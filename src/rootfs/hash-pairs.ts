/** Hashes files two at a time, which takes as long as hashing one after the other takes for half of them. */
import { streamHash } from '../sys/sha256.ts'

/** Memory for a piece of each file, in bytes: both stay in a core's own cache until they are hashed. */
const PIECE = 1 << 18

/** Reads a file piece by piece into the given memory, from its start; each piece is valid until the next. */
export type OpenPieces = (index: number, room: () => Buffer) => Iterator<Buffer>

/**
 * SHA-256 (hex) of each of `count` files, in their order. `check` is called between pieces and may throw.
 * @throws what reading throws
 */
export function hashPairs(count: number, open: OpenPieces, check: () => void): string[] {
  const files = new Files(count, open)
  const [one, two] = [new Lane(files), new Lane(files)]
  try {
    for (;;) {
      check()
      const hasOne = one.read()
      const hasTwo = two.read()
      if (!hasOne && !hasTwo) return files.digests
      one.hash.settle(two.hash)
      two.hash.settle()
    }
  } finally {
    one.close()
    two.close()
  }
}

class Files {
  readonly digests: string[] = []
  readonly open: OpenPieces
  private readonly count: number
  private next = 0

  constructor(count: number, open: OpenPieces) {
    this.count = count
    this.open = open
  }

  /** The file that is to be read next. */
  take(): number | undefined {
    return this.next < this.count ? this.next++ : undefined
  }
}

/** Reads one file after the other. */
class Lane {
  readonly hash = streamHash('sha256')
  private readonly files: Files
  private readonly memory = Buffer.allocUnsafeSlow(PIECE)
  private index: number | undefined
  private pieces: Iterator<Buffer> | undefined

  constructor(files: Files) {
    this.files = files
    this.hash.reset()
  }

  /** Gives its hash the next piece. False if there is nothing left to read. */
  read(): boolean {
    for (;;) {
      this.pieces ??= this.begin()
      if (this.pieces === undefined) return false
      const { value, done } = this.pieces.next() as IteratorResult<Buffer, undefined>
      if (done !== true) {
        this.hash.update(this.memory, 0, value.length)
        return true
      }
      this.files.digests[this.index!] = this.hash.digest('hex')
      this.hash.reset()
      this.pieces = undefined
    }
  }

  /** Closes the file if it was not read to its end. */
  close(): void {
    this.pieces?.return?.()
  }

  private begin(): Iterator<Buffer> | undefined {
    this.index = this.files.take()
    return this.index === undefined ? undefined : this.files.open(this.index, () => this.memory)
  }
}
