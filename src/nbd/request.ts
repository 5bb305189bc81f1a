/** Requests of the transmission phase: decoded, and checked before anything is read for them ("Request types"). */
import { BLOCK_SIZE, CMD, CMD_FLAG, ERROR, REQUEST_MAGIC, type ErrorValue } from './wire.ts'

export const REQUEST_BYTES = 28

/** A request as it arrives. */
export interface Header {
  readonly flags: number
  readonly command: number
  /** Chosen by the client; its replies have the same. */
  readonly cookie: bigint
  readonly offset: bigint
  readonly length: number
}

/** A valid request. */
export interface Request {
  readonly command: 'read' | 'cache' | 'status'
  readonly cookie: bigint
  /** Within the export, in bytes; at least one. */
  readonly offset: number
  readonly length: number
  readonly isStructured: boolean
  /** READ with DF: the content is sent in one chunk. */
  readonly isWhole: boolean
  /** BLOCK_STATUS with REQ_ONE: one extent is enough. */
  readonly isSingle: boolean
}

/** Why a request is not answered. */
export interface Refusal {
  readonly error: ErrorValue
  /** For people. */
  readonly message: string
}

/** What is asked of, and in which form it is answered. */
export interface Terms {
  /** Of the export, in bytes. */
  readonly size: number
  readonly isStructured: boolean
  readonly hasStatus: boolean
}

/** Undefined if it is not a request. @param bytes REQUEST_BYTES of them */
export function decodeHeader(bytes: Buffer): Header | undefined {
  if (bytes.readUInt32BE() !== REQUEST_MAGIC) return undefined
  return {
    flags: bytes.readUInt16BE(4),
    command: bytes.readUInt16BE(6),
    cookie: bytes.readBigUInt64BE(8),
    offset: bytes.readBigUInt64BE(16),
    length: bytes.readUInt32BE(24)
  }
}

/** Why the request cannot be answered; undefined if it is valid. */
export function refusalOf(header: Header, terms: Terms): Refusal | undefined {
  const { command, flags, length } = header
  switch (command) {
    case CMD.WRITE:
    case CMD.TRIM:
    case CMD.WRITE_ZEROES:
      return { error: ERROR.EPERM, message: 'The export is read-only.' }
    case CMD.READ:
      return (
        flagRefusal(flags, terms.isStructured ? CMD_FLAG.DF : 0) ??
        rangeRefusal(header, terms.size) ??
        sizeRefusal(length, (flags & CMD_FLAG.DF) === 0 ? ERROR.EINVAL : ERROR.EOVERFLOW)
      )
    case CMD.CACHE:
      return (
        flagRefusal(flags, 0) ??
        rangeRefusal(header, terms.size) ??
        sizeRefusal(length, ERROR.EINVAL)
      )
    case CMD.BLOCK_STATUS:
      if (!terms.hasStatus) return invalid('The client chose no context of metadata.')
      return flagRefusal(flags, CMD_FLAG.REQ_ONE) ?? rangeRefusal(header, terms.size)
    default:
      return invalid('The command is unknown.')
  }
}

const COMMANDS = {
  [CMD.READ]: 'read',
  [CMD.CACHE]: 'cache',
  [CMD.BLOCK_STATUS]: 'status'
} as const

/** Of a header that is not refused. */
export function requestOf(
  { command, flags, cookie, offset, length }: Header,
  terms: Terms
): Request {
  return {
    command: COMMANDS[command as keyof typeof COMMANDS],
    cookie,
    offset: Number(offset),
    length,
    isStructured: terms.isStructured,
    isWhole: (flags & CMD_FLAG.DF) !== 0,
    isSingle: (flags & CMD_FLAG.REQ_ONE) !== 0
  }
}

function flagRefusal(flags: number, allowed: number): Refusal | undefined {
  if ((flags & ~allowed) === 0) return undefined
  return invalid('The command does not have this flag.')
}

function rangeRefusal({ offset, length }: Header, size: number): Refusal | undefined {
  if (length === 0) return invalid('The range is empty.')
  if (offset + BigInt(length) <= BigInt(size)) return undefined
  return invalid('The range ends behind the end of the export.')
}

function sizeRefusal(length: number, error: ErrorValue): Refusal | undefined {
  if (length <= BLOCK_SIZE.maximum) return undefined
  return { error, message: `At most ${BLOCK_SIZE.maximum} bytes can be asked for at once.` }
}

function invalid(message: string): Refusal {
  return { error: ERROR.EINVAL, message }
}
