/** What NBD clients send, and how they read what they get: from the specification, and sharing nothing with src. */

export const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff])
export const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
export const u64 = (value: number | bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

export const GREETING: Buffer = Buffer.concat([Buffer.from('NBDMAGICIHAVEOPT'), u16(3)])

export function clientFlags(flags: number): Buffer {
  return u32(flags)
}

export function option(number: number, data: Buffer | string = ''): Buffer {
  const bytes = Buffer.from(data)
  return Buffer.concat([Buffer.from('IHAVEOPT'), u32(number), u32(bytes.length), bytes])
}

/** Data of NBD_OPT_INFO (6) and NBD_OPT_GO (7). */
export function infoData(name: string, ...wanted: number[]): Buffer {
  return Buffer.concat([text(name), u16(wanted.length), ...wanted.map(u16)])
}

/** Data of NBD_OPT_LIST_META_CONTEXT (9) and NBD_OPT_SET_META_CONTEXT (10). */
export function contextData(name: string, ...queries: string[]): Buffer {
  return Buffer.concat([text(name), u32(queries.length), ...queries.map(text)])
}

/** With its length before it. */
function text(value: string): Buffer {
  return Buffer.concat([u32(Buffer.byteLength(value)), Buffer.from(value)])
}

export interface RequestFields {
  type: number
  flags?: number
  cookie?: number
  offset?: number | bigint
  length?: number
  /** Of a write. */
  data?: Buffer
}

export function request(fields: RequestFields): Buffer {
  const { type, flags = 0, cookie = 7, offset = 0, length = 0, data } = fields
  const header = [u32(0x25609513), u16(flags), u16(type), u64(cookie), u64(offset), u32(length)]
  return Buffer.concat([...header, ...(data === undefined ? [] : [data])])
}

export interface OptionReply {
  option: number
  type: number
  data: Buffer
}

/** Cuts one from the beginning; undefined if it is not complete. */
export function cutOptionReply(bytes: Buffer): { reply: OptionReply; rest: Buffer } | undefined {
  if (bytes.length < 20) return undefined
  if (bytes.readBigUInt64BE() !== 0x3e889045565a9n) throw new Error('not the magic of a reply')
  const end = 20 + bytes.readUInt32BE(16)
  if (bytes.length < end) return undefined
  const reply = {
    option: bytes.readUInt32BE(8),
    type: bytes.readUInt32BE(12),
    data: bytes.subarray(20, end)
  }
  return { reply, rest: bytes.subarray(end) }
}

/** A simple reply (its content is cut by who knows its length), or a chunk of a structured one. */
export type Reply =
  | { kind: 'simple'; error: number; cookie: number }
  | { kind: 'chunk'; isDone: boolean; type: number; cookie: number; payload: Buffer }

export function cutReply(bytes: Buffer): { reply: Reply; rest: Buffer } | undefined {
  if (bytes.length < 16) return undefined
  const magic = bytes.readUInt32BE()
  if (magic === 0x67446698) {
    const error = bytes.readUInt32BE(4)
    const cookie = Number(bytes.readBigUInt64BE(8))
    return { reply: { kind: 'simple', error, cookie }, rest: bytes.subarray(16) }
  }
  if (magic !== 0x668e33ef) throw new Error(`not the magic of a reply: ${magic.toString(16)}`)
  if (bytes.length < 20) return undefined
  const end = 20 + bytes.readUInt32BE(16)
  if (bytes.length < end) return undefined
  const reply = {
    kind: 'chunk',
    isDone: (bytes.readUInt16BE(4) & 1) === 1,
    type: bytes.readUInt16BE(6),
    cookie: Number(bytes.readBigUInt64BE(8)),
    payload: bytes.subarray(20, end)
  } as const
  return { reply, rest: bytes.subarray(end) }
}

/** Of an error chunk. */
export function errorOf(payload: Buffer): { error: number; message: string; rest: Buffer } {
  const length = payload.readUInt16BE(4)
  return {
    error: payload.readUInt32BE(),
    message: payload.toString('utf8', 6, 6 + length),
    rest: payload.subarray(6 + length)
  }
}
