import { noise } from './gzip-cases.ts'

const MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])
const CHECKSUM = 4
/** Window descriptors: 2^(10 + exponent) bytes. */
const window = (log: number): Buffer => Buffer.from([(log - 10) << 3])

function block(type: 0 | 1, size: number, body: Uint8Array, last: boolean): Buffer {
  const header = Buffer.alloc(3)
  header.writeUIntLE((size << 3) | (type << 1) | (last ? 1 : 0), 0, 3)
  return Buffer.concat([header, body])
}

const raw = (body: Uint8Array, last = true) => block(0, body.length, body, last)
const run = (byte: number, size: number, last = true) => block(1, size, Buffer.from([byte]), last)

/** A frame as a file has it: descriptor byte, the rest of the header, blocks. */
function frame(descriptor: number, header: Buffer, ...blocks: Buffer[]): Buffer {
  return Buffer.concat([MAGIC, Buffer.from([descriptor]), header, ...blocks])
}

export function skippable(body: Uint8Array, kind = 0): Buffer {
  const header = Buffer.from([0x50 + kind, 0x2a, 0x4d, 0x18, 0, 0, 0, 0])
  header.writeUInt32LE(body.length, 4)
  return Buffer.concat([header, body])
}

const content = noise(100_000)
const plain = frame(0, window(17), raw(content))
const text = Buffer.from('second')
const single = frame(0x20, Buffer.from([text.length]), raw(text))
const joined = (...parts: Buffer[]): Buffer => Buffer.concat(parts)
const gzipEmpty = Buffer.from('1f8b08000000000000ff030000000000000000000000', 'hex')

/** The lower half of the XXH64 of `second`, which the zstd program writes. */
const SECOND_SUM = 0x4d5e_0037

/** A frame of `second` with a content checksum. */
function checked(sum: number): Buffer {
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32LE(sum)
  return frame(CHECKSUM, window(17), raw(text), checksum)
}

/** What every decoder must accept; the content is raw and RLE blocks only, so that no encoder is needed. */
export const ACCEPTED: readonly (readonly [name: string, blob: Buffer, content: Buffer])[] = [
  ['a frame', plain, content],
  ['a frame that is its own window', single, text],
  ['an empty frame', frame(0x20, Buffer.from([0]), raw(Buffer.alloc(0))), Buffer.alloc(0)],
  ['two frames', joined(plain, single), joined(content, text)],
  ['a skippable frame first', joined(skippable(text), single), text],
  ['a skippable frame last', joined(single, skippable(content, 15)), text],
  [
    'skippable frames between',
    joined(single, skippable(text), skippable(Buffer.alloc(0)), single),
    joined(text, text)
  ],
  ['only a skippable frame', skippable(text), Buffer.alloc(0)],
  [
    'several blocks',
    frame(0, window(17), raw(text, false), run(65, 131_072, false), run(0, 5, false), raw(text)),
    joined(text, Buffer.alloc(131_072, 65), Buffer.alloc(5), text)
  ],
  ['an empty last block', frame(0, window(17), raw(text, false), raw(Buffer.alloc(0))), text],
  ['a window of 128 MiB', frame(0, window(27), raw(text)), text],
  ['a size of two bytes', frame(0x60, Buffer.from([44, 0]), raw(noise(300))), noise(300)],
  ['a size of eight bytes', frame(0xe0, Buffer.from([6, 0, 0, 0, 0, 0, 0, 0]), raw(text)), text],
  ['a right checksum', checked(SECOND_SUM), text],
  [
    'two right checksums',
    joined(checked(SECOND_SUM), single, checked(SECOND_SUM)),
    joined(text, text, text)
  ],
  ['300 frames', joined(...Array<Buffer>(300).fill(single)), Buffer.alloc(1800, text)]
]

/** What every decoder must refuse. */
export const REFUSED: readonly (readonly [name: string, blob: Buffer])[] = [
  ['nothing', Buffer.alloc(0)],
  ['half a magic number', plain.subarray(0, 3)],
  ['half a header', plain.subarray(0, 5)],
  ['half a block', plain.subarray(0, 50_000)],
  ['a byte missing at the end', plain.subarray(0, -1)],
  ['no last block', frame(0, window(17), raw(text, false))],
  ['a missing checksum', frame(CHECKSUM, window(17), raw(text))],
  ['a wrong checksum', checked(0x1234_5678)],
  ['a wrong checksum in the second frame', joined(checked(SECOND_SUM), checked(SECOND_SUM + 1))],
  ['text after the frame', joined(plain, Buffer.from('junk and more junk'))],
  ['one byte after the frame', joined(plain, Buffer.from('j'))],
  ['zeros after the frame', joined(plain, Buffer.alloc(512))],
  ['gzip after the frame', joined(plain, gzipEmpty)],
  ['a second frame without its end', joined(plain, single.subarray(0, -2))],
  ['a skippable frame without its end', joined(plain, skippable(content).subarray(0, 99))],
  ['a window of 1 GiB', frame(0, window(30), raw(text))],
  ['a window of 2 GiB in the second frame', joined(single, frame(0, window(31), raw(text)))],
  ['a dictionary', frame(1, joined(window(17), Buffer.from([9])), raw(text))],
  ['a reserved bit', frame(8, window(17), raw(text))],
  ['a reserved block type', frame(0, window(17), block(1, 3 * 8, text, true).fill(7, 0, 1))],
  ['a block above the window', frame(0, window(10), raw(noise(2000)))],
  ['a block above 128 KiB', frame(0, window(20), run(1, 131_073))]
]

/** With windows of 256 and 512 MiB, which the decoder in JavaScript does not have. */
export const LARGE: readonly Buffer[] = [28, 29].map((log) => frame(0, window(log), raw(text)))
export const LARGE_CONTENT: Buffer = text
