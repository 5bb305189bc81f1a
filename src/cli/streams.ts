/**
 * Standard output and standard error, which nothing else writes to. They may be full, closed or a pipe that is not
 * read. This must neither show a stack of Node nor harm the work. (If one was closed before the start, Node opens
 * /dev/null.)
 */
import { fstatSync, writeSync } from 'node:fs'

class StandardStream {
  /** Called when a write fails for the first time. */
  onFailure: () => void = () => undefined
  /** Whether its reader may go without that being a failure. */
  mayLoseReader = false
  /** Why nothing is written any more. */
  failure: NodeJS.ErrnoException | undefined
  private readonly fd: number
  private readonly node: () => NodeJS.WriteStream
  private last: Promise<void> = Promise.resolve()
  private direct: boolean | undefined
  private hasLostReader = false

  constructor(fd: number, node: () => NodeJS.WriteStream) {
    this.fd = fd
    this.node = node
  }

  get isTTY(): boolean {
    return fstatSync(this.fd).isCharacterDevice() && this.node().isTTY
  }

  /** The size of a terminal; undefined or 0 if it is unknown. */
  get size(): { columns: number | undefined; rows: number | undefined } {
    const { columns, rows } = this.node()
    return { columns, rows }
  }

  /** Writes in order; never throws. */
  write(text: string | Uint8Array): void {
    if (this.failure !== undefined || this.hasLostReader || text.length === 0) return
    this.direct ??= this.isDirect()
    if (this.direct) this.writeFully(typeof text === 'string' ? Buffer.from(text) : text)
    else this.last = this.send(text)
  }

  /** Somebody else who wrote to the descriptor could not. */
  failed(error: NodeJS.ErrnoException): void {
    this.fail(error)
  }

  /** Resolves when everything is written, or nothing more can be. */
  flushed(): Promise<void> {
    return this.last
  }

  /** Terminals, pipes and sockets may make a writer wait, which Node does without blocking the rest. */
  private isDirect(): boolean {
    const stat = fstatSync(this.fd)
    if (!stat.isFIFO() && !stat.isSocket() && !this.isTTY) return true
    this.node().on('error', (error: NodeJS.ErrnoException) => this.fail(error))
    return false
  }

  private send(text: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.node().write(text, (error) => {
        if (error) this.fail(error)
        resolve()
      })
    })
  }

  /**
   * Writes all bytes. If a disk is full in the middle of a text, a stream of Node would take it as written completely.
   */
  private writeFully(bytes: Uint8Array): void {
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(this.fd, bytes, done)
    } catch (error) {
      this.fail(error as NodeJS.ErrnoException)
    }
  }

  private fail(error: NodeJS.ErrnoException): void {
    if (this.failure !== undefined) return
    if (this.mayLoseReader && error.code === 'EPIPE') {
      this.hasLostReader = true
      return
    }
    this.failure = error
    this.onFailure()
  }
}

export const output: StandardStream = new StandardStream(1, () => process.stdout)
export const errors: StandardStream = new StandardStream(2, () => process.stderr)
