/** Decompression that begins in the middle of a layer, and ends where its reader stops. */
import { constants, createGunzip, createInflateRaw } from 'node:zlib'
import type { Compression } from '../image/media-types.ts'
import { isalInflateRaw } from '../sys/isal.ts'
import { emptyBlocks } from './empty-blocks.ts'
import type { Restart } from './gunzip-blocks.ts'
import { unzstdFrom } from './unzstd.ts'
import { CHUNK_BYTES, throughAsync } from './zlib-stream.ts'

/** The compressed bytes from a position on. They may end anywhere: so many are inflated as there are. */
export type CompressedFrom = (position: number) => AsyncIterable<Buffer>

/**
 * What a layer decompresses to from a restart on, in chunks of up to 1 MiB, each valid until the next is asked for. Checksums of its format may remain unchecked,
 * because what was before the restart counts towards them: the reader has to verify the bytes. A restart at bit 0 is the beginning of the layer.
 * @throws what the codec throws for damaged data, and what reading throws
 */
export function decompressFrom(
  compression: Compression,
  restart: Restart,
  compressed: CompressedFrom
): AsyncIterable<Buffer> {
  switch (compression) {
    case 'none':
      return compressed(restart.bits / 8)
    case 'gzip':
      return restart.bits === 0 ? gunzipMembers(compressed(0)) : gunzipFrom(restart, compressed)
    case 'zstd':
      return unzstdFrom(compressed(restart.bits / 8), false)
  }
}

/**
 * Fills the output with what a gzip layer inflates to from a restart on, twice as fast as above. False if that is not possible: this machine
 * has no ISA-L, the member ends before, or the data is damaged. Nothing is known then. What it gives has to be verified, too.
 * @param compressed must give chunks that stay as they are, and end where the data for the output does
 */
export async function inflateAtOnce(
  { bits, window }: Restart,
  compressed: CompressedFrom,
  output: Buffer
): Promise<boolean> {
  const parts: Buffer[] = []
  const data = compressed(Math.floor(bits / 8))
  for await (const part of joined(emptyBlocks(bits % 8), bits % 8, data)) parts.push(part)
  const input = Buffer.concat(parts)
  return (await isalInflateRaw({ input, dictionary: window, output })) === true
}

/** What is left of a member is raw deflate data; whole members may follow. */
async function* gunzipFrom(
  { bits, window }: Restart,
  compressed: CompressedFrom
): AsyncGenerator<Buffer> {
  const from = Math.floor(bits / 8)
  const before = emptyBlocks(bits % 8)
  const stream = createInflateRaw({
    ...OPTIONS,
    ...(window.length > 0 ? { dictionary: window } : {})
  })
  yield* throughAsync(stream, joined(before, bits % 8, compressed(from)))
  const end = from + stream.bytesWritten - (bits % 8 === 0 ? 0 : before.length - 1)
  yield* gunzipMembers(compressed(end + TRAILER_BYTES))
}

const TRAILER_BYTES = 8

const OPTIONS = { chunkSize: CHUNK_BYTES, finishFlush: constants.Z_SYNC_FLUSH }

/** Nothing if something else follows than a member. */
async function* gunzipMembers(compressed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const input = compressed[Symbol.asyncIterator]()
  const first = await input.next()
  if (first.done === true || first.value[0] !== GZIP_MAGIC) return
  yield* throughAsync(createGunzip(OPTIONS), continued(first.value, input))
}

const GZIP_MAGIC = 0x1f

/** The last byte of what is put before the data has its first bits, which are replaced in the first byte of the data. */
async function* joined(
  before: Buffer,
  bits: number,
  data: AsyncIterable<Buffer>
): AsyncGenerator<Buffer> {
  if (bits > 0) yield before.subarray(0, -1)
  let isFirst = bits > 0
  for await (const chunk of data) {
    if (isFirst && chunk.length > 0) {
      const mask = (1 << bits) - 1
      yield Buffer.from([(chunk[0]! & ~mask) | (before.at(-1)! & mask)])
      yield chunk.subarray(1)
      isFirst = false
    } else yield chunk
  }
}

async function* continued(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
}
