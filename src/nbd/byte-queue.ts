/** Bytes that have arrived in pieces of any size, and are taken in others. */
export class ByteQueue {
  private pieces: Uint8Array[] = []
  private length = 0

  add(bytes: Uint8Array): void {
    this.pieces.push(bytes)
    this.length += bytes.length
  }

  /** The next bytes; undefined, with nothing taken, as long as there are fewer. */
  take(length: number): Buffer | undefined {
    if (this.length < length) return undefined
    const all = Buffer.concat(this.pieces)
    this.pieces = [all.subarray(length)]
    this.length -= length
    return all.subarray(0, length)
  }

  /** Removes the next bytes, or all if there are fewer. Returns how many. */
  drop(length: number): number {
    const dropped = Math.min(length, this.length)
    this.take(dropped)
    return dropped
  }
}
