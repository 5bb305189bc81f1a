/** The compressed bytes that a decompressor reads. */
import { read } from '../sys/read.ts'

/** A compressed blob as the codecs need it; the store's verified blob is one. */
export interface CompressedInput {
  /**
   * An open regular file that contains only the blob, its shared offset at 0 and never moved by `read()`: an external
   * program gets it as its standard input. Undefined if there is no such file (embedded `data`, archives).
   */
  readonly fd: number | undefined
  /** The size of the whole blob in bytes. */
  readonly size: number
  /**
   * The next chunk, valid until the next call; undefined at the end, however often it is called. Chunks are hashed on
   * the way, so a decompressor has to read to the end.
   */
  read(): Buffer | undefined
}

/** A blob in a file of its own. */
export interface BlobFile {
  readonly fd: number
  readonly size: number
}

/** Returns the next chunk, valid until the next call; undefined at the end. */
export type Source = () => Buffer | undefined

/** `head`, which was already read from the source, followed by the rest. */
export function replay(head: Buffer | undefined, rest: Source): Source {
  let first = head
  return () => {
    if (first === undefined) return rest()
    const chunk = first
    first = undefined
    return chunk
  }
}

const REREAD_BYTES = 1 << 18

/** Reads the whole file again, at explicit positions and without hashing. */
export function reread(fd: number): Source {
  const buffer = Buffer.allocUnsafe(REREAD_BYTES)
  let position = 0
  return () => {
    const length = read(fd, buffer, 0, REREAD_BYTES, position)
    position += length
    return length === 0 ? undefined : buffer.subarray(0, length)
  }
}
