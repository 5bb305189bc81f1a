/** Everything that is said with one client, from the greeting to the end. */
import { Conversation, type Talk } from './conversation.ts'
import type { Offer } from './export.ts'
import { negotiate } from './negotiation.ts'
import { transmit } from './transmission.ts'

export function converse(offer: Offer): Conversation {
  return new Conversation(session(offer))
}

function* session(offer: Offer): Talk<void> {
  const agreement = yield* negotiate(offer)
  if (agreement !== undefined) yield* transmit(offer, agreement)
}
