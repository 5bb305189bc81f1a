/** The compressed bytes that a decompressor reads. */
import { read } from '../sys/read.ts'

/** A compressed blob as the codecs need it: the store's verified blob is one. */
export interface CompressedInput {
  /**
   * An open regular file with nothing but the blob, its shared offset at 0 and never moved by `read()`:
   * an external program gets it as its standard input. Undefined where there is no such file (embedded
   * `data`, archives).
   */
  readonly fd: number | undefined
  /** Bytes of the whole blob. */
  readonly size: number
  /**
   * The next chunk, valid until the next call; undefined at the end, again and again. Chunks are hashed as
   * they pass, so whoever decompresses reads up to the end.
   */
  read(): Buffer | undefined
}

/** A blob in a file of its own. */
export interface BlobFile {
  readonly fd: number
  readonly size: number
}

/** Asks for the next chunk: valid until the next call, undefined at the end. */
export type Source = () => Buffer | undefined

/** `head`, which was read from the source already, and then the rest of it. */
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

/** The whole file again, by positional reads, without hashing. */
export function reread(fd: number): Source {
  const buffer = Buffer.allocUnsafe(REREAD_BYTES)
  let position = 0
  return () => {
    const length = read(fd, buffer, 0, REREAD_BYTES, position)
    position += length
    return length === 0 ? undefined : buffer.subarray(0, length)
  }
}
