/**
 * A conversation with one client: bytes that arrive lead to steps of the server. What is said is a generator that asks for
 * bytes as if they were there already; this drives it with the pieces in which they come.
 */
import type { Export } from './export.ts'
import type { Request } from './request.ts'
import { ByteQueue } from './byte-queue.ts'

/** What the server does next. Each step is done before the next one is asked for. */
export type Step =
  /** Send these bytes. */
  | { readonly kind: 'send'; readonly bytes: Buffer }
  /** The transmission phase begins: what follows is about this export. */
  | { readonly kind: 'agreed'; readonly export: Export }
  /** Answer a request, which is valid. Several may be answered at once, and in any order. */
  | { readonly kind: 'answer'; readonly request: Request }

type Wish =
  | { readonly kind: 'take'; readonly length: number }
  | { readonly kind: 'skip'; readonly length: number }

/** A part of a conversation, and what it results in. */
export type Talk<Result> = Generator<Step | Wish, Result, Buffer>

/** The next bytes that the client sends. */
export function* take(length: number): Talk<Buffer> {
  return yield { kind: 'take', length }
}

/** Passes over bytes, which are not kept in memory. */
export function* skip(length: number): Talk<void> {
  yield { kind: 'skip', length }
}

export function* send(bytes: Buffer): Talk<void> {
  yield { kind: 'send', bytes }
}

const NOTHING = Buffer.alloc(0)

export class Conversation {
  private readonly talk: Talk<void>
  private readonly queue = new ByteQueue()
  private state: IteratorResult<Step | Wish, void>
  private skipped = 0

  constructor(talk: Talk<void>) {
    this.talk = talk
    this.state = talk.next(NOTHING)
  }

  /** Nothing that the client may still send is listened to. */
  get isOver(): boolean {
    return this.state.done === true
  }

  /** The steps that these bytes lead to; at the beginning there are steps without any. */
  *receive(bytes: Uint8Array): Generator<Step, void, void> {
    this.queue.add(bytes)
    while (this.state.done !== true) {
      const wanted = this.state.value
      if (wanted.kind === 'take' || wanted.kind === 'skip') {
        const found = this.fulfil(wanted)
        if (found === undefined) return
        this.state = this.talk.next(found)
      } else {
        yield wanted
        this.state = this.talk.next(NOTHING)
      }
    }
  }

  /** Undefined if more bytes must arrive first. */
  private fulfil({ kind, length }: Wish): Buffer | undefined {
    if (kind === 'take') return this.queue.take(length)
    this.skipped += this.queue.drop(length - this.skipped)
    if (this.skipped < length) return undefined
    this.skipped = 0
    return NOTHING
  }
}
