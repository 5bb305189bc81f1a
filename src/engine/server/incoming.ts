/** What one client sends, read only when it is asked for: one that sends too much has to wait. */
import type { Socket } from 'node:net'

export class Incoming {
  private readonly socket: Socket
  private isOver = false
  private wake = (): void => undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('readable', () => this.wake())
    for (const event of ['end', 'close'])
      socket.on(event, () => {
        this.isOver = true
        this.wake()
      })
  }

  /** The next bytes; undefined when the client has ended its side or is gone. */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const bytes = this.socket.read() as Buffer | null
      if (bytes !== null) return bytes
      if (this.isOver) return undefined
      await new Promise<void>((resolve) => (this.wake = resolve))
    }
  }
}
