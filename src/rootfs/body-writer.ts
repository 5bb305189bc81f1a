/** Writes the body of one regular file, and leaves long runs of zeros as holes. */
import { truncate, writeAllAt } from '../sys/files.ts'
import { addressOf } from '../sys/libc.ts'

/** A hole costs an extent, so shorter runs are cheaper as data. Holes are aligned to this size. */
export const HOLE_BYTES = 65_536
export const ZEROS: Buffer = Buffer.alloc(HOLE_BYTES)

export class BodyWriter {
  protected fd = -1
  protected size = 0
  /** End of the last byte written; a file that ends in a hole is extended in `finish`. */
  protected written = 0
  private chunk: Buffer | undefined
  private chunkAddress = 0

  begin(fd: number, size: number): void {
    this.fd = fd
    this.size = size
    this.written = 0
  }

  write(chunk: Buffer, start: number, end: number, position: number): void {
    const address = this.address(chunk)
    for (let from = start; from < end;) {
      const at = position + (from - start)
      const to = Math.min(end, from + HOLE_BYTES - (at % HOLE_BYTES))
      if (!isHole(chunk, from, to)) {
        const dataEnd = this.dataEnd(chunk, to, end)
        this.put(address + from, dataEnd - from, at)
        from = dataEnd
      } else from = to
    }
  }

  /** Where the data that began before `from` ends: at the next hole, or at the end. */
  private dataEnd(chunk: Buffer, from: number, end: number): number {
    let to = from
    while (to < end) {
      const next = Math.min(end, to + HOLE_BYTES)
      if (isHole(chunk, to, next)) return to
      to = next
    }
    return end
  }

  /** @param size of the whole file, if it was not known at the beginning */
  finish(size: number = this.size): void {
    this.size = size
    if (this.written < this.size) this.endInHole()
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

/** Only whole aligned blocks become holes. The first byte decides most cases without a call. */
function isHole(chunk: Buffer, start: number, end: number): boolean {
  return (
    end - start === HOLE_BYTES &&
    chunk[start] === 0 &&
    chunk[end - 1] === 0 &&
    ZEROS.compare(chunk, start, end) === 0
  )
}
