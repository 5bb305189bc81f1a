/**
 * The attribute in which tools without privileges keep the owner that an image gives to a file (umoci, PRoot, runROOTLESS): a
 * protobuf message with field 1 uid and field 2 gid, both uint32 (https://github.com/rootless-containers/proto).
 */
import type { ByteString } from '../../bytes.ts'
import { OciUnpackError } from '../../errors.ts'

export const OWNER_XATTR: ByteString = 'user.rootlesscontainers'

export interface Owner {
  uid: number
  gid: number
}

/** The value of a field that says nothing: the id is 0. */
const NO_OVERRIDE = 0xffff_ffff

const UID_FIELD = 1
const GID_FIELD = 2

/** The attribute's value; undefined for root, whose files have no such attribute. */
export function encodeOwner({ uid, gid }: Owner): ByteString | undefined {
  if (uid === 0 && gid === 0) return undefined
  return field(UID_FIELD, uid || NO_OVERRIDE) + field(GID_FIELD, gid || NO_OVERRIDE)
}

/** An empty value is root, as if there were no attribute. @throws ENTRY_INVALID if it is not such a message */
export function decodeOwner(value: ByteString): Owner {
  const reader = new MessageReader(value)
  const owner = { uid: 0, gid: 0 }
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    if (next.field === UID_FIELD) owner.uid = idOf(next.value)
    else if (next.field === GID_FIELD) owner.gid = idOf(next.value)
  }
  return owner
}

function idOf(value: number): number {
  return value === NO_OVERRIDE ? 0 : value
}

function field(number: number, value: number): ByteString {
  return String.fromCharCode(number << 3) + varint(value)
}

function varint(value: number): ByteString {
  let text = ''
  let left = value
  for (; left >= 0x80; left = Math.floor(left / 0x80))
    text += String.fromCharCode((left % 0x80) | 0x80)
  return text + String.fromCharCode(left)
}

const VARINT = 0
const FIXED_BYTES: ReadonlyMap<number, number> = new Map([
  [1, 8],
  [5, 4]
])
const DELIMITED = 2

/** Reads the varint fields of a message and skips all others (protobuf.dev, encoding). */
class MessageReader {
  private readonly bytes: ByteString
  private at = 0

  constructor(bytes: ByteString) {
    this.bytes = bytes
  }

  next(): { field: number; value: number } | undefined {
    while (this.at < this.bytes.length) {
      const tag = this.varint()
      const field = Math.floor(tag / 8)
      if (field === 0) throw notAMessage(this.bytes)
      if (tag % 8 === VARINT) return { field, value: this.varint() }
      this.skip(tag % 8)
    }
    return undefined
  }

  private skip(wireType: number): void {
    const length = wireType === DELIMITED ? this.varint() : FIXED_BYTES.get(wireType)
    if (length === undefined || this.at + length > this.bytes.length) throw notAMessage(this.bytes)
    this.at += length
  }

  /** Up to ten bytes; only the lower 32 bits of the number count, as for every uint32. */
  private varint(): number {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.bytes.charCodeAt(this.at++)
      if (Number.isNaN(byte)) break
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return Number(BigInt.asUintN(32, value))
    }
    throw notAMessage(this.bytes)
  }
}

function notAMessage(value: ByteString): OciUnpackError {
  return new OciUnpackError('ENTRY_INVALID', `The attribute ${OWNER_XATTR} is damaged.`, {
    facts: {
      expected: 'a protobuf message with the fields uid and gid',
      found: Buffer.from(value.slice(0, 32), 'latin1').toString('hex')
    },
    hint: `Remove the attribute with \`setfattr -x ${OWNER_XATTR}\`: the owner is then root.`
  })
}
