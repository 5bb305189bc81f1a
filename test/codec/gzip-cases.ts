import { createHash } from 'node:crypto'
import { crc32, deflateRawSync } from 'node:zlib'

interface MemberOptions {
  readonly flags?: number
  readonly method?: number
  /** Added to the right header checksum. */
  readonly headerCrcError?: number
}

const TEXT = 1
const HCRC = 2
const EXTRA = 4
const NAME = 8
const COMMENT = 16

/** One gzip member with the header fields that `flags` name. */
function member(content: Uint8Array, options: MemberOptions = {}): Buffer {
  const flags = options.flags ?? 0
  const header = [Buffer.from([0x1f, 0x8b, options.method ?? 8, flags, 0, 0, 0, 0, 0, 0xff])]
  if (flags & EXTRA) header.push(Buffer.from([44, 1]), Buffer.alloc(300, 'x'))
  if (flags & NAME) header.push(Buffer.from('layer.tar\0'))
  if (flags & COMMENT) header.push(Buffer.from('a comment\0'))
  if (flags & HCRC) {
    const sum = Buffer.alloc(2)
    sum.writeUInt16LE((crc32(Buffer.concat(header)) + (options.headerCrcError ?? 0)) & 0xffff)
    header.push(sum)
  }
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc32(content), 0)
  trailer.writeUInt32LE(content.length, 4)
  return Buffer.concat([...header, deflateRawSync(content), trailer])
}

/** Bytes that do not compress and are the same in every run. */
export function noise(length: number): Buffer {
  return createHash('shake256', { outputLength: length }).update('noise').digest()
}

const content = Buffer.concat([Buffer.alloc(240_000, 'hello world '), noise(100_000)])
const second = Buffer.from('second')
const single = member(content)
const flip = (bytes: Buffer, at: number, bit = 1): Buffer => {
  const copy = Buffer.from(bytes)
  const index = at < 0 ? bytes.length + at : at
  copy[index] = copy[index]! ^ bit
  return copy
}
const joined = (...parts: (Buffer | string)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))

/** What every way of inflating must accept, and what must come out. */
export const ACCEPTED: readonly (readonly [name: string, blob: Buffer, content: Buffer])[] = [
  ['a single member', single, content],
  ['two members', joined(single, member(second)), joined(content, second)],
  ['an empty member', member(Buffer.alloc(0)), Buffer.alloc(0)],
  ['an empty member at the end', joined(single, member(Buffer.alloc(0))), content],
  ['an empty member at the beginning', joined(member(Buffer.alloc(0)), single), content],
  ['one zero after the member', joined(single, '\0'), content],
  ['a block of zeros after the member', joined(single, Buffer.alloc(512)), content],
  ['300 KB of zeros after the member', joined(single, Buffer.alloc(300_000)), content],
  ['zeros after two members', joined(single, single, Buffer.alloc(9)), joined(content, content)],
  ['an FTEXT flag', member(content, { flags: TEXT }), content],
  ['an extra field', member(content, { flags: EXTRA }), content],
  ['a file name', member(content, { flags: NAME }), content],
  ['a comment', member(content, { flags: COMMENT }), content],
  ['a header checksum', member(content, { flags: HCRC }), content],
  ['every header field', member(content, { flags: TEXT | HCRC | EXTRA | NAME | COMMENT }), content],
  ['a size whose upper bytes are zeros', member(content.subarray(0, 3)), content.subarray(0, 3)],
  [
    'a size whose lowest byte is zero',
    member(content.subarray(0, 0x50000)),
    content.subarray(0, 0x50000)
  ]
]

/** What every way of inflating must refuse. */
export const REFUSED: readonly (readonly [name: string, blob: Buffer])[] = [
  ['text after the member', joined(single, 'junk')],
  ['one byte after the member', joined(single, 'j')],
  ['half a magic number after the member', joined(single, Buffer.from([0x1f]))],
  ['a magic number after the member', joined(single, Buffer.from([0x1f, 0x8b]))],
  ['text after zeros', joined(single, Buffer.alloc(20), 'junk')],
  ['text after very many zeros', joined(single, Buffer.alloc(300_000), 'junk')],
  ['a member after zeros', joined(single, Buffer.alloc(20), member(second))],
  ['a tar block after the member', joined(single, Buffer.alloc(512, 'x'))],
  ['a byte missing at the end', single.subarray(0, -1)],
  ['a missing trailer', single.subarray(0, -8)],
  ['half of it', single.subarray(0, single.length / 2)],
  ['half a header', single.subarray(0, 5)],
  ['one byte', single.subarray(0, 1)],
  ['nothing', Buffer.alloc(0)],
  ['a second member without its end', joined(single, member(second).subarray(0, -3))],
  ['a second member of half a header', joined(single, single.subarray(0, 5))],
  ['a wrong checksum', flip(single, -6)],
  ['a wrong size', flip(single, -1)],
  ['a flipped bit in the middle', flip(single, 50_000, 4)],
  ['a wrong checksum of the first of two members', joined(flip(single, -6), single)],
  ['a wrong checksum of the second member', joined(single, flip(member(second), -6))],
  ['a wrong header checksum', member(content, { flags: HCRC, headerCrcError: 1 })],
  [
    'a wrong header checksum in the second member',
    joined(single, member(second, { flags: HCRC, headerCrcError: 1 }))
  ],
  ['a reserved flag', member(content, { flags: 0x20 })],
  ['another compression method', member(content, { method: 7 })]
]
