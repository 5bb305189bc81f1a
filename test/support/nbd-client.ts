/** An NBD client for tests that looks at single messages. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  clientFlags,
  contextData,
  cutOptionReply,
  cutReply,
  errorOf,
  GREETING,
  infoData,
  option,
  request,
  type OptionReply,
  type Reply,
  type RequestFields
} from './nbd-messages.ts'

export type Where = { path: string } | { host: string; port: number }

/** What a read gave: content with holes as zeros, and the chunks that it came in. */
export interface ReadOutcome {
  content: Buffer
  /** Types of the chunks, in order. */
  chunks: number[]
  error: { error: number; message: string; offset: number | undefined } | undefined
}

export class NbdClient {
  readonly socket: Socket
  private pieces: Buffer[] = []
  private isOver = false
  private wake = (): void => undefined

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => undefined)
    for (const event of ['readable', 'end', 'close'])
      socket.on(event, () => {
        this.isOver ||= event !== 'readable'
        this.wake()
      })
  }

  /** Connected, and not yet negotiating. */
  static async connect(where: Where): Promise<NbdClient> {
    const socket = connect({ ...where, allowHalfOpen: true })
    await once(socket, 'connect')
    return new NbdClient(socket)
  }

  /** In the transmission phase. */
  static async open(where: Where, form: 'simple' | 'structured', name = ''): Promise<NbdClient> {
    const client = await NbdClient.connect(where)
    const structured = [option(8), option(10, contextData(name, 'base:allocation'))]
    await client.bytes(GREETING.length)
    client.send(clientFlags(3))
    for (const each of form === 'structured' ? structured : []) {
      client.send(each)
      await client.untilAcknowledged()
    }
    client.send(option(7, infoData(name)))
    await client.untilAcknowledged()
    return client
  }

  send(...messages: Buffer[]): void {
    this.socket.write(Buffer.concat(messages))
  }

  /** The next bytes; fewer if the server closes the connection before. */
  async bytes(length: number): Promise<Buffer> {
    let available = this.joined().length
    for (let more = -1; available < length && more !== 0; available += more)
      more = await this.receive()
    const all = this.joined()
    this.pieces = [all.subarray(length)]
    return all.subarray(0, length)
  }

  /** Whether the server closes the connection without another byte. */
  async isClosed(): Promise<boolean> {
    return (await this.bytes(1)).length === 0
  }

  async optionReply(): Promise<OptionReply> {
    return this.cut(cutOptionReply)
  }

  async reply(): Promise<Reply> {
    return this.cut(cutReply)
  }

  /** A read, in whichever form it is answered. */
  async read(fields: Omit<RequestFields, 'type'> & { length: number }): Promise<ReadOutcome> {
    this.send(request({ ...fields, type: 0 }))
    const outcome: ReadOutcome = {
      content: Buffer.alloc(fields.length),
      chunks: [],
      error: undefined
    }
    for (;;) {
      const reply = await this.reply()
      if (reply.kind === 'simple') {
        if (reply.error !== 0)
          outcome.error = { error: reply.error, message: '', offset: undefined }
        else outcome.content = await this.bytes(fields.length)
        return outcome
      }
      outcome.chunks.push(reply.type)
      take(reply, Number(fields.offset ?? 0), outcome)
      if (reply.isDone) return outcome
    }
  }

  /** Waits until the connection is closed on both sides. */
  async close(): Promise<void> {
    if (this.socket.closed) return
    this.socket.destroy()
    await once(this.socket, 'close')
  }

  private async untilAcknowledged(): Promise<void> {
    for (;;) {
      const { type } = await this.optionReply()
      if (type === 1) return
      if (type >= 2 ** 31) throw new Error(`the option is refused: ${type.toString(16)}`)
    }
  }

  private async cut<T>(cut: (bytes: Buffer) => { reply: T; rest: Buffer } | undefined): Promise<T> {
    for (;;) {
      const found = cut(this.joined())
      if (found !== undefined) {
        this.pieces = [found.rest]
        return found.reply
      }
      if ((await this.receive()) === 0) throw new Error('the server closed the connection')
    }
  }

  private joined(): Buffer {
    this.pieces = [Buffer.concat(this.pieces)]
    return this.pieces[0]!
  }

  /** How many bytes have arrived; 0 when no more will. */
  private async receive(): Promise<number> {
    for (;;) {
      const bytes = this.socket.read() as Buffer | null
      if (bytes !== null) {
        this.pieces.push(bytes)
        return bytes.length
      }
      if (this.isOver) return 0
      await new Promise<void>((resolve) => (this.wake = resolve))
    }
  }
}

function take({ type, payload }: Reply & { kind: 'chunk' }, start: number, to: ReadOutcome): void {
  if (type === 1) payload.copy(to.content, Number(payload.readBigUInt64BE()) - start, 8)
  if (type < 2 ** 15) return
  const { error, message, rest } = errorOf(payload)
  to.error = {
    error,
    message,
    offset: type === 0x8002 ? Number(rest.readBigUInt64BE()) : undefined
  }
}
