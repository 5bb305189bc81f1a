/** What the server sends while options are negotiated. */
import type { Export } from './export.ts'
import { uint16, uint32, uint64 } from './integers.ts'
import {
  BLOCK_SIZE,
  FLAG,
  HANDSHAKE,
  IHAVEOPT,
  INFO,
  NBDMAGIC,
  OPTION_REPLY_MAGIC
} from './wire.ts'

export function greeting(): Buffer {
  const bytes = Buffer.alloc(18)
  bytes.writeBigUInt64BE(NBDMAGIC, 0)
  bytes.writeBigUInt64BE(IHAVEOPT, 8)
  bytes.writeUInt16BE(HANDSHAKE.FIXED_NEWSTYLE | HANDSHAKE.NO_ZEROES, 16)
  return bytes
}

/** @param type of `REP` */
export function optionReply(option: number, type: number, data: Uint8Array): Buffer {
  const header = Buffer.alloc(20)
  header.writeBigUInt64BE(OPTION_REPLY_MAGIC, 0)
  header.writeUInt32BE(option, 8)
  header.writeUInt32BE(type, 12)
  header.writeUInt32BE(data.length, 16)
  return Buffer.concat([header, data])
}

/** The data of SERVER. */
export function serverData({ name }: Export): Buffer {
  const text = Buffer.from(name)
  return Buffer.concat([uint32(text.length), text])
}

/** The data of META_CONTEXT. @param id 0 if the context is only listed */
export function contextData(id: number, name: string): Buffer {
  return Buffer.concat([uint32(id), Buffer.from(name)])
}

/** The data of INFO replies: what is always told, and what was asked for. */
export function infoData(
  { name, size }: Export,
  isStructured: boolean,
  wanted: readonly number[]
): Buffer[] {
  const told: Buffer[] = [Buffer.concat([uint16(INFO.EXPORT), sizeAndFlags(size, isStructured)])]
  if (wanted.includes(INFO.NAME)) told.push(Buffer.concat([uint16(INFO.NAME), Buffer.from(name)]))
  if (wanted.includes(INFO.BLOCK_SIZE)) told.push(blockSizes())
  return told
}

function blockSizes(): Buffer {
  const { minimum, preferred, maximum } = BLOCK_SIZE
  return Buffer.concat([uint16(INFO.BLOCK_SIZE), ...[minimum, preferred, maximum].map(uint32)])
}

const ZEROES = 124

/** The answer to EXPORT_NAME, which has no header. */
export function exportReply(size: number, isStructured: boolean, noZeroes: boolean): Buffer {
  const zeroes = Buffer.alloc(noZeroes ? 0 : ZEROES)
  return Buffer.concat([sizeAndFlags(size, isStructured), zeroes])
}

/** Nothing is ever written, so all connections see the same. */
const FLAGS = FLAG.HAS_FLAGS | FLAG.READ_ONLY | FLAG.CAN_MULTI_CONN | FLAG.SEND_CACHE

function sizeAndFlags(size: number, isStructured: boolean): Buffer {
  return Buffer.concat([uint64(size), uint16(isStructured ? FLAGS | FLAG.SEND_DF : FLAGS)])
}
