/** Replies of the transmission phase: simple ones, and the chunks of structured ones. */
import type { Extent } from './extents.ts'
import { uint32, uint64 } from './integers.ts'
import type { Refusal, Request } from './request.ts'
import {
  CHUNK,
  CONTEXT,
  MAX_STRING,
  REPLY_FLAG_DONE,
  SIMPLE_REPLY_MAGIC,
  STATE,
  STRUCTURED_REPLY_MAGIC
} from './wire.ts'

/** Which request is answered, and in which form. */
type Answered = Pick<Request, 'cookie' | 'isStructured'>

/** The whole reply of a request that is done and has no content. */
export function doneReply({ cookie, isStructured }: Answered): Buffer {
  return isStructured ? chunk(CHUNK.NONE, cookie, true, NOTHING) : simpleHeader(cookie, 0)
}

/**
 * The last of a reply to a request that failed.
 * @param offset where it failed, within the range that was asked for; undefined if nothing was read
 */
export function refusedReply(
  { cookie, isStructured }: Answered,
  { error, message }: Refusal,
  offset?: number
): Buffer {
  if (!isStructured) return simpleHeader(cookie, error)
  const type = offset === undefined ? CHUNK.ERROR : CHUNK.ERROR_OFFSET
  const text = shortened(message)
  const head = Buffer.alloc(6)
  head.writeUInt32BE(error, 0)
  head.writeUInt16BE(text.length, 4)
  const tail = offset === undefined ? NOTHING : uint64(offset)
  return chunk(type, cookie, true, Buffer.concat([head, text, tail]))
}

/** What comes before the content of a simple reply. */
export function contentHeader({ cookie }: Answered): Buffer {
  return simpleHeader(cookie, 0)
}

/** What comes before the content of a chunk. @param length bytes of content @param isLast no chunk follows */
export function dataHeader(
  { cookie }: Answered,
  offset: number,
  length: number,
  isLast: boolean
): Buffer {
  const header = chunkHeader(CHUNK.OFFSET_DATA, cookie, isLast, 8 + length)
  return Buffer.concat([header, uint64(offset)])
}

/** @param isLast no chunk follows */
export function holeChunk(
  { cookie }: Answered,
  offset: number,
  length: number,
  isLast: boolean
): Buffer {
  return chunk(CHUNK.OFFSET_HOLE, cookie, isLast, Buffer.concat([uint64(offset), uint32(length)]))
}

/** The whole reply to BLOCK_STATUS. @param extents at least one; together no longer than what was asked for */
export function statusReply({ cookie }: Answered, extents: readonly Extent[]): Buffer {
  const payload = Buffer.alloc(4 + 8 * extents.length)
  payload.writeUInt32BE(CONTEXT.ID, 0)
  for (const [index, { length, hole }] of extents.entries()) {
    payload.writeUInt32BE(length, 4 + 8 * index)
    payload.writeUInt32BE(hole ? STATE.HOLE | STATE.ZERO : 0, 8 + 8 * index)
  }
  return chunk(CHUNK.BLOCK_STATUS, cookie, true, payload)
}

const NOTHING = Buffer.alloc(0)

function simpleHeader(cookie: bigint, error: number): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt32BE(SIMPLE_REPLY_MAGIC, 0)
  bytes.writeUInt32BE(error, 4)
  bytes.writeBigUInt64BE(cookie, 8)
  return bytes
}

function chunk(type: number, cookie: bigint, isLast: boolean, payload: Buffer): Buffer {
  return Buffer.concat([chunkHeader(type, cookie, isLast, payload.length), payload])
}

function chunkHeader(type: number, cookie: bigint, isLast: boolean, length: number): Buffer {
  const bytes = Buffer.alloc(20)
  bytes.writeUInt32BE(STRUCTURED_REPLY_MAGIC, 0)
  bytes.writeUInt16BE(isLast ? REPLY_FLAG_DONE : 0, 4)
  bytes.writeUInt16BE(type, 6)
  bytes.writeBigUInt64BE(cookie, 8)
  bytes.writeUInt32BE(length, 16)
  return bytes
}

/** As many whole characters as a string may have bytes. */
function shortened(message: string): Buffer {
  const bytes = Buffer.from(message)
  if (bytes.length <= MAX_STRING) return bytes
  let end = MAX_STRING
  while ((bytes[end]! & 0xc0) === 0x80) end--
  return bytes.subarray(0, end)
}
