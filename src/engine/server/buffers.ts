/**
 * Memory for content on its way to clients. Each connection has one buffer of its own, so that nobody waits for a slow reader;
 * more of them come from a store that all share.
 */

/** Bytes of a buffer, which are read and sent at once. */
export const PIECE: number = 1 << 18

/** 16 MiB. */
const SHARED = 64
/** Requests of one connection that are answered at once. */
const AT_ONCE = 8

export class SharedBuffers {
  private readonly idle: Buffer[] = []
  private given = 0

  take(): Buffer | undefined {
    if (this.given === SHARED) return undefined
    this.given++
    return this.idle.pop() ?? Buffer.allocUnsafeSlow(PIECE)
  }

  giveBack(buffer: Buffer): void {
    this.given--
    this.idle.push(buffer)
  }
}

/** The buffers of one connection: as many answers are on their way at once. */
export class Lanes {
  private readonly shared: SharedBuffers
  private readonly busy = new Set<Promise<void>>()
  private own: Buffer | undefined
  private isOwnIdle = true

  constructor(shared: SharedBuffers) {
    this.shared = shared
  }

  /** Begins when there is a buffer, and does not wait for the end. `act` must not reject. */
  async run(act: (buffer: Buffer) => Promise<void>): Promise<void> {
    let buffer = this.take()
    for (; buffer === undefined; buffer = this.take()) await Promise.race(this.busy)
    const taken = buffer
    const work = act(taken).then(() => {
      this.giveBack(taken)
      this.busy.delete(work)
    })
    this.busy.add(work)
  }

  /** Resolves when all that has begun has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.busy)
  }

  private take(): Buffer | undefined {
    if (!this.isOwnIdle) return this.busy.size < AT_ONCE ? this.shared.take() : undefined
    this.isOwnIdle = false
    return (this.own ??= Buffer.allocUnsafeSlow(PIECE))
  }

  private giveBack(buffer: Buffer): void {
    if (buffer === this.own) this.isOwnIdle = true
    else this.shared.giveBack(buffer)
  }
}
