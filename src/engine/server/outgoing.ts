/** The way to one client. Whoever sends waits until the kernel has the bytes, so a slow reader fills no memory. */
import type { Socket } from 'node:net'

/** Sends pieces, one directly after the other. Rejects if the client is gone. */
export type Send = (...pieces: readonly Uint8Array[]) => Promise<void>

export class Outgoing {
  private readonly socket: Socket
  private last: Promise<unknown> = Promise.resolve()

  constructor(socket: Socket) {
    this.socket = socket
  }

  readonly send: Send = (...pieces) => this.alone((send) => send(...pieces))

  /** Nothing else is sent until `act` ends. */
  alone(act: (send: Send) => Promise<void>): Promise<void> {
    const turn = this.last.then(() => act((...pieces) => this.write(pieces)))
    this.last = turn.catch(() => undefined)
    return turn
  }

  private write(pieces: readonly Uint8Array[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.cork()
      for (const piece of pieces.slice(0, -1)) this.socket.write(piece)
      this.socket.write(pieces.at(-1)!, (error) => (error ? reject(error) : resolve()))
      this.socket.uncork()
    })
  }
}
