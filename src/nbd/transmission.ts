/** The transmission phase: requests in, and what each of them leads to. */
import { send, skip, take, type Talk } from './conversation.ts'
import type { Offer } from './export.ts'
import type { Agreement } from './negotiation.ts'
import { refusedReply } from './replies.ts'
import {
  decodeHeader,
  refusalOf,
  REQUEST_BYTES,
  requestOf,
  type Header,
  type Refusal,
  type Terms
} from './request.ts'
import { BLOCK_SIZE, CMD, ERROR } from './wire.ts'

/** Ends when the client wants to, or says what is no request. */
export function* transmit(offer: Offer, agreement: Agreement): Talk<void> {
  yield { kind: 'agreed', export: agreement.export }
  const terms = { ...agreement, size: agreement.export.size }
  for (;;) {
    const header = decodeHeader(yield* take(REQUEST_BYTES))
    if (header === undefined || header.command === CMD.DISC) return
    if (header.command === CMD.WRITE) {
      if (header.length > BLOCK_SIZE.maximum) return
      yield* skip(header.length)
    }
    const refusal = offer.isClosing() ? CLOSING : refusalOf(header, terms)
    yield* refusal === undefined ? accept(header, terms) : refuse(header, terms, refusal)
  }
}

const CLOSING: Refusal = { error: ERROR.ESHUTDOWN, message: 'The server is ending.' }

function* accept(header: Header, terms: Terms): Talk<void> {
  yield { kind: 'answer', request: requestOf(header, terms) }
}

function* refuse({ cookie }: Header, { isStructured }: Terms, refusal: Refusal): Talk<void> {
  yield* send(refusedReply({ cookie, isStructured }, refusal))
}
