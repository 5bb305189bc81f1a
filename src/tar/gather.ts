/** Joins a run of bytes that chunk borders may cut. Works in place if it is not cut. */
export class Gather {
  /** The run, once `offer` has returned true: it starts at `at` in `bytes`. */
  bytes: Buffer = Buffer.alloc(0)
  at = 0
  /** The position of the next unused byte in the last offered chunk. */
  next = 0
  /** Bytes of an incomplete run. */
  held = 0
  private store = Buffer.alloc(0)

  /** Takes bytes from `chunk`, starting at `at`, towards a run of `want` bytes. Returns whether it is complete. */
  offer(chunk: Buffer, at: number, want: number): boolean {
    if (this.held === 0 && chunk.length - at >= want) return this.complete(chunk, at, at + want)
    if (this.store.length < want) this.store = Buffer.allocUnsafe(want)
    this.next = Math.min(chunk.length, at + want - this.held)
    this.held += chunk.copy(this.store, this.held, at, this.next)
    return this.held === want && this.complete(this.store, 0, this.next)
  }

  private complete(bytes: Buffer, at: number, next: number): true {
    this.bytes = bytes
    this.at = at
    this.next = next
    this.held = 0
    return true
  }
}
