/**
 * Standard output and standard error, which nothing else writes to. They may be full, closed or a pipe that is not read:
 * that must neither show a stack of Node nor harm the work. (Node has /dev/null where one was closed before the start.)
 */
import { fstatSync, writeSync } from 'node:fs'

class StandardStream {
  /** What is to happen when a write fails for the first time. */
  onFailure: () => void = () => undefined
  /** Why nothing is written any more. */
  failure: NodeJS.ErrnoException | undefined
  private readonly fd: number
  private readonly node: () => NodeJS.WriteStream
  private last: Promise<void> = Promise.resolve()
  private direct: boolean | undefined

  constructor(fd: number, node: () => NodeJS.WriteStream) {
    this.fd = fd
    this.node = node
  }

  get isTTY(): boolean {
    return fstatSync(this.fd).isCharacterDevice() && this.node().isTTY
  }

  /** Of a terminal; undefined or 0 where it does not say. */
  get size(): { columns: number | undefined; rows: number | undefined } {
    const { columns, rows } = this.node()
    return { columns, rows }
  }

  /** Keeps the order; never throws. */
  write(text: string | Uint8Array): void {
    if (this.failure !== undefined || text.length === 0) return
    this.direct ??= this.isDirect()
    if (this.direct) this.writeFully(typeof text === 'string' ? Buffer.from(text) : text)
    else this.last = this.send(text)
  }

  /** Resolves when all is written, or nothing more will be. */
  flushed(): Promise<void> {
    return this.last
  }

  /** Terminals, pipes and sockets may make a writer wait; Node does that without holding up the rest. */
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

  /** A stream of Node takes a file that is full in the middle of a text for one that has taken all of it. */
  private writeFully(bytes: Uint8Array): void {
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(this.fd, bytes, done)
    } catch (error) {
      this.fail(error as NodeJS.ErrnoException)
    }
  }

  private fail(error: NodeJS.ErrnoException): void {
    if (this.failure !== undefined) return
    this.failure = error
    this.onFailure()
  }
}

export const output: StandardStream = new StandardStream(1, () => process.stdout)
export const errors: StandardStream = new StandardStream(2, () => process.stderr)
