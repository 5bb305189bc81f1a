/**
 * The handshake: fixed newstyle, without TLS ("NOTLS mode"). Sections "Fixed newstyle negotiation" and "Option types" of the
 * specification.
 */
import { send, skip, take, type Talk } from './conversation.ts'
import { findExport, type Export, type Offer } from './export.ts'
import { decodeContextQuery, decodeInfoQuery, type ContextQuery } from './option-data.ts'
import {
  contextData,
  exportReply,
  greeting,
  infoData,
  optionReply,
  serverData
} from './option-replies.ts'
import { CONTEXT, HANDSHAKE, IHAVEOPT, MAX_STRING, OPT, REP } from './wire.ts'

/** What the transmission phase begins with. */
export interface Agreement {
  readonly export: Export
  /** Whether the client understands structured replies. */
  readonly isStructured: boolean
  /** Whether it chose the context `base:allocation`. */
  readonly hasStatus: boolean
}

/** Of option data that is kept in memory; what is longer is passed over. */
const MAX_DATA = 2 ** 16
/** No client has a reason to send more, so this one is not listened to any longer. */
const MAX_SKIPPED = 2 ** 25

const OPTIONS: ReadonlySet<number> = new Set(Object.values(OPT))

/** Undefined if the connection is to be closed. */
export function* negotiate(offer: Offer): Talk<Agreement | undefined> {
  yield* send(greeting())
  const flags = (yield* take(4)).readUInt32BE()
  if ((flags & ~(HANDSHAKE.FIXED_NEWSTYLE | HANDSHAKE.NO_ZEROES)) !== 0) return undefined
  const negotiation = new Negotiation(offer, flags)
  for (;;) {
    const header = yield* take(16)
    if (header.readBigUInt64BE() !== IHAVEOPT) return undefined
    const outcome = yield* negotiation.option(header.readUInt32BE(8), header.readUInt32BE(12))
    if (outcome !== 'continue') return outcome === 'close' ? undefined : outcome
  }
}

type Outcome = 'continue' | 'close' | Agreement

class Negotiation {
  private readonly offer: Offer
  private readonly flags: number
  private isStructured = false
  /** The export for which the client chose the context. */
  private contextOf: Export | undefined

  constructor(offer: Offer, flags: number) {
    this.offer = offer
    this.flags = flags
  }

  *option(option: number, length: number): Talk<Outcome> {
    if (length > MAX_SKIPPED) return 'close'
    if (length <= MAX_DATA) return yield* this.respond(option, yield* take(length))
    yield* skip(length)
    if (option === OPT.EXPORT_NAME) return 'close'
    return yield* refuse(option, OPTIONS.has(option) ? 'ERR_TOO_BIG' : 'ERR_UNSUP')
  }

  private *respond(option: number, data: Buffer): Talk<Outcome> {
    if (option === OPT.EXPORT_NAME) return yield* this.exportName(data)
    if ((this.flags & HANDSHAKE.FIXED_NEWSTYLE) === 0) return 'close'
    if (option === OPT.ABORT) return yield* this.abort()
    if (this.offer.isClosing()) return yield* refuse(option, 'ERR_SHUTDOWN')
    switch (option) {
      case OPT.LIST:
        return yield* this.list(data)
      case OPT.INFO:
      case OPT.GO:
        return yield* this.info(option, data)
      case OPT.STRUCTURED_REPLY:
        return yield* this.structuredReply(data)
      case OPT.LIST_META_CONTEXT:
      case OPT.SET_META_CONTEXT:
        return yield* this.metaContext(option, data)
      case OPT.STARTTLS:
        return yield* data.length > 0
          ? refuse(option, 'ERR_INVALID')
          : refuse(option, 'ERR_UNSUP', 'This server has no TLS; a proxy can add it.')
      default:
        return yield* refuse(option, 'ERR_UNSUP')
    }
  }

  /** The only option that cannot be answered with an error. */
  private *exportName(data: Buffer): Talk<Outcome> {
    if (data.length > MAX_STRING || this.offer.isClosing()) return 'close'
    const found = findExport(this.offer, data.toString())
    if (found === undefined) return 'close'
    const noZeroes = (this.flags & HANDSHAKE.NO_ZEROES) !== 0
    yield* send(exportReply(found.size, this.isStructured, noZeroes))
    return this.agreement(found)
  }

  private *abort(): Talk<Outcome> {
    yield* send(acknowledged(OPT.ABORT))
    return 'close'
  }

  private *list(data: Buffer): Talk<Outcome> {
    if (data.length > 0) return yield* refuse(OPT.LIST, 'ERR_INVALID')
    for (const each of this.offer.exports)
      yield* send(optionReply(OPT.LIST, REP.SERVER, serverData(each)))
    return yield* acknowledge(OPT.LIST)
  }

  private *info(option: number, data: Buffer): Talk<Outcome> {
    const query = decodeInfoQuery(data)
    if (query === undefined) return yield* refuse(option, 'ERR_INVALID')
    const found = findExport(this.offer, query.name)
    if (found === undefined) return yield* refuse(option, 'ERR_UNKNOWN', NO_EXPORT)
    for (const told of infoData(found, this.isStructured, query.wanted))
      yield* send(optionReply(option, REP.INFO, told))
    yield* acknowledge(option)
    return option === OPT.GO ? this.agreement(found) : 'continue'
  }

  private *structuredReply(data: Buffer): Talk<Outcome> {
    if (data.length > 0) return yield* refuse(OPT.STRUCTURED_REPLY, 'ERR_INVALID')
    this.isStructured = true
    return yield* acknowledge(OPT.STRUCTURED_REPLY)
  }

  /** What was chosen before is forgotten, whatever becomes of this. */
  private *metaContext(option: number, data: Buffer): Talk<Outcome> {
    const isChoice = option === OPT.SET_META_CONTEXT
    if (isChoice) this.contextOf = undefined
    const query = decodeContextQuery(data)
    if (query === undefined || !this.isStructured) return yield* refuse(option, 'ERR_INVALID')
    const found = findExport(this.offer, query.name)
    if (found === undefined) return yield* refuse(option, 'ERR_UNKNOWN', NO_EXPORT)
    if (isChoice ? isChosen(query) : isListed(query)) {
      if (isChoice) this.contextOf = found
      const told = contextData(isChoice ? CONTEXT.ID : 0, CONTEXT.NAME)
      yield* send(optionReply(option, REP.META_CONTEXT, told))
    }
    return yield* acknowledge(option)
  }

  private agreement(chosen: Export): Agreement {
    const hasStatus = this.isStructured && this.contextOf === chosen
    return { export: chosen, isStructured: this.isStructured, hasStatus }
  }
}

const NO_EXPORT = 'There is no export of this name.'

/** Queries of other namespaces, and wildcards, choose nothing. */
function isChosen({ queries }: ContextQuery): boolean {
  return queries.includes(CONTEXT.NAME)
}

/** `base:` is a wildcard. */
function isListed({ queries }: ContextQuery): boolean {
  return queries.length === 0 || queries.includes('base:') || queries.includes(CONTEXT.NAME)
}

function* acknowledge(option: number): Talk<'continue'> {
  yield* send(acknowledged(option))
  return 'continue'
}

function acknowledged(option: number): Buffer {
  return optionReply(option, REP.ACK, Buffer.alloc(0))
}

/** @param message for people */
function* refuse(option: number, type: keyof typeof REP, message = ''): Talk<'continue'> {
  yield* send(optionReply(option, REP[type], Buffer.from(message)))
  return 'continue'
}
