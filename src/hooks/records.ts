/** Cuts a stream of bytes at a separator, however the chunks are cut. */
export interface RecordsOptions {
  readonly separator: number
  /** The longest allowed record, in bytes. */
  readonly limit: number
  onRecord(record: Buffer): void
  /** Gets the first `limit` bytes of a record that is too long; the rest is dropped. */
  onTooLong(beginning: Buffer): void
}

export class Records {
  private readonly options: RecordsOptions
  private pending: Buffer[] = []
  private length = 0
  private dropping = false

  constructor(options: RecordsOptions) {
    this.options = options
  }

  push(chunk: Buffer): void {
    let start = 0
    for (;;) {
      const end = chunk.indexOf(this.options.separator, start)
      if (end < 0) break
      this.take(chunk.subarray(start, end))
      if (!this.dropping) this.options.onRecord(this.flush())
      this.dropping = false
      start = end + 1
    }
    this.take(chunk.subarray(start))
  }

  /** What follows the last separator; empty if the stream ends with one. */
  rest(): Buffer {
    return this.flush()
  }

  private take(part: Buffer): void {
    if (this.dropping || part.length === 0) return
    this.pending.push(part)
    this.length += part.length
    if (this.length <= this.options.limit) return
    this.dropping = true
    this.options.onTooLong(this.flush().subarray(0, this.options.limit))
  }

  private flush(): Buffer {
    const record = this.pending.length === 1 ? this.pending[0]! : Buffer.concat(this.pending)
    this.pending = []
    this.length = 0
    return record
  }
}
