/** One client, from the greeting until its connection is closed. */
import type { Socket } from 'node:net'
import type { Conversation, Step } from '../../nbd/conversation.ts'
import type { Export } from '../../nbd/export.ts'
import { answer } from './answer.ts'
import { Lanes, type SharedBuffers } from './buffers.ts'
import { Incoming } from './incoming.ts'
import { Outgoing } from './outgoing.ts'
import type { Source } from './source.ts'

export interface ClientOptions {
  readonly conversation: Conversation
  readonly sourceOf: (chosen: Export) => Source
  readonly buffers: SharedBuffers
  /** For the choice of an export, in milliseconds. After that, a client may be silent for as long as it likes. */
  readonly patience: number
}

export class Client {
  /** When the connection is closed. Never rejects. */
  readonly gone: Promise<void>
  private readonly socket: Socket
  private readonly options: ClientOptions
  private readonly outgoing: Outgoing
  private readonly lanes: Lanes
  private readonly timer: NodeJS.Timeout
  private source: Source | undefined

  constructor(socket: Socket, options: ClientOptions) {
    this.socket = socket
    this.options = options
    this.outgoing = new Outgoing(socket)
    this.lanes = new Lanes(options.buffers)
    this.timer = setTimeout(() => this.drop(), options.patience)
    socket.on('error', () => undefined) // its end says the same
    this.gone = this.converse().finally(() => clearTimeout(this.timer))
  }

  /** Closes the connection once what is being answered is sent. */
  async finish(): Promise<void> {
    await this.lanes.settled()
    this.socket.destroySoon()
    await this.gone
  }

  /** Closes the connection at once. */
  drop(): void {
    this.socket.destroy()
  }

  private async converse(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.socket.once('close', () => resolve()))
    try {
      await this.listen()
      await this.lanes.settled()
      this.socket.destroySoon()
    } catch {
      this.drop()
    }
    await closed
    await this.lanes.settled()
  }

  /** Until the client has no more to say, or no more is listened to. */
  private async listen(): Promise<void> {
    const { conversation } = this.options
    const incoming = new Incoming(this.socket)
    let bytes: Buffer | undefined = Buffer.alloc(0)
    while (bytes !== undefined) {
      for (const step of conversation.receive(bytes)) {
        await this.take(step)
        if (this.socket.destroyed) return
      }
      if (conversation.isOver) return
      bytes = await incoming.next()
    }
  }

  private async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'send':
        return this.outgoing.send(step.bytes)
      case 'agreed':
        clearTimeout(this.timer)
        this.source = this.options.sourceOf(step.export)
        return
      case 'answer': {
        const { source, outgoing } = this
        return this.lanes.run((buffer) =>
          answer(step.request, { source: source!, outgoing, buffer }).catch(() => this.drop())
        )
      }
    }
  }
}
