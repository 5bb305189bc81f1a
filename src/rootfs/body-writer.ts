/** Writes the body of one regular file, and leaves long runs of zeros as holes. */
import { truncate, writeAllAt } from '../sys/files.ts'
import { addressOf } from '../sys/libc.ts'

/** A hole costs an extent, so shorter runs are cheaper as data. Holes are aligned to this size. */
export const HOLE_BYTES = 65_536
const ZEROS: Buffer = Buffer.alloc(HOLE_BYTES)
export const ZEROS_ADDRESS: number = addressOf(ZEROS)

export class BodyWriter {
  protected fd = -1
  protected size = 0
  /** End of the last byte written; a file that ends in a hole is extended in `finish`. */
  protected written = 0
  /** End of the zeros that were left out last. They began with a block, which is not yet decided if it is not complete. */
  private leftOut = 0
  private chunk: Buffer | undefined
  private chunkAddress = 0

  begin(fd: number, size: number): void {
    this.fd = fd
    this.size = size
    this.written = 0
    this.leftOut = 0
  }

  /** @param position in the file, after what was written before */
  write(chunk: Buffer, start: number, end: number, position: number): void {
    const address = this.address(chunk)
    for (let from = start; from < end;) {
      const at = position + (from - start)
      const to = Math.min(end, from + HOLE_BYTES - (at % HOLE_BYTES))
      if (this.mayBeHole(at) && isZeros(chunk, from, to)) {
        this.leftOut = at + (to - from)
        from = to
      } else {
        const dataEnd = endOfData(chunk, to, end)
        this.putZerosBefore(at)
        this.put(address + from, dataEnd - from, at)
        from = dataEnd
      }
    }
  }

  /** @param size of the whole file, if it was not known at the beginning */
  finish(size: number = this.size): void {
    this.size = size
    if (this.written >= size - (size % HOLE_BYTES)) this.putZerosBefore(size)
    if (this.written < size) this.endInHole()
  }

  /** Only whole blocks of the file become holes, however it is cut, and a shorter one at its end that follows a hole. */
  private mayBeHole(at: number): boolean {
    return at % HOLE_BYTES === 0 || at === this.leftOut
  }

  /** The zeros that were left out of a block that turned out to have data, too. */
  private putZerosBefore(at: number): void {
    const length = at % HOLE_BYTES
    if (at === this.leftOut && length > 0) this.put(ZEROS_ADDRESS, length, at - length)
  }

  /** Writes bytes from an address to a position of the file; what was skipped before it is a hole. */
  protected put(address: number, length: number, at: number): void {
    writeAllAt(this.fd, address, length, at)
    this.written = at + length
  }

  protected endInHole(): void {
    truncate(this.fd, this.size)
  }

  private address(chunk: Buffer): number {
    if (this.chunk !== chunk) {
      this.chunk = chunk
      this.chunkAddress = addressOf(chunk)
    }
    return this.chunkAddress
  }
}

/** Where the data that began before `from`, the border of a block or the end, ends. */
function endOfData(chunk: Buffer, from: number, end: number): number {
  for (let to = from; to < end; to += HOLE_BYTES)
    if (isZeros(chunk, to, Math.min(end, to + HOLE_BYTES))) return to
  return end
}

/** The first byte and the last decide most cases without a call. */
function isZeros(chunk: Buffer, start: number, end: number): boolean {
  return (
    chunk[start] === 0 &&
    chunk[end - 1] === 0 &&
    ZEROS.compare(chunk, start, end, 0, end - start) === 0
  )
}
