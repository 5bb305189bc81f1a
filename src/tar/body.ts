/** Finds the place in a file for stored bytes. */
import type { TarSink } from './sink.ts'
import type { Extents } from './sparse.ts'

/** Passes stored bytes to the sink with their places in the file. */
export class BodyCursor {
  private readonly sink: TarSink
  private extents: Extents | undefined
  private extent = 0
  /** The number of bytes delivered of the whole body, or of the current extent. */
  private filled = 0

  constructor(sink: TarSink) {
    this.sink = sink
  }

  /** Starts a body. Without extents, its bytes simply follow each other. */
  open(extents: Extents | undefined): void {
    this.extents = extents
    this.extent = 0
    this.filled = 0
  }

  deliver(chunk: Buffer, start: number, end: number): void {
    if (this.extents === undefined) {
      this.sink.data(chunk, start, end, this.filled)
      this.filled += end - start
      return
    }
    for (let at = start; at < end;) at = this.fillExtent(this.extents, chunk, at, end)
  }

  private fillExtent(extents: Extents, chunk: Buffer, at: number, end: number): number {
    while (this.filled === extents[this.extent + 1]) {
      this.extent += 2
      this.filled = 0
    }
    const stop = Math.min(end, at + extents[this.extent + 1]! - this.filled)
    this.sink.data(chunk, at, stop, extents[this.extent]! + this.filled)
    this.filled += stop - at
    return stop
  }
}
