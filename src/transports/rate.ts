/** How fast a count of bytes grows: over the last three seconds, whatever was before. */
const WINDOW_MS = 3000

export class Rate {
  /** Counts of at most so long ago, oldest first. */
  private counted = [{ at: Date.now(), bytes: 0 }]

  /** Milliseconds since the last count. */
  get age(): number {
    return Date.now() - this.counted.at(-1)!.at
  }

  /** @param bytes all since the beginning @returns bytes per second */
  count(bytes: number): number {
    const at = Date.now()
    this.counted = [...this.counted.filter((it) => at - it.at <= WINDOW_MS), { at, bytes }]
    const first = this.counted[0]!
    const seconds = Math.max(at - first.at, 1) / 1000
    return Math.round((bytes - first.bytes) / seconds)
  }
}
