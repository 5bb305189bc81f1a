/** Decompression of Zstandard, by Node or in JavaScript. */
import * as zlib from 'node:zlib'
import type { Source } from './source.ts'
import {
  CHUNK_BYTES,
  compressionInvalid,
  invalidData,
  through,
  throughAsync,
  type ZlibStream
} from './zlib-stream.ts'
import { FrameCheck } from './zstd-checksum.ts'
import { frames, framesFrom, MAX_WINDOW_LOG, type Piece } from './zstd-frames.ts'

/** The decoder of node:zlib, which exists since Node 22.15. */
type CreateZstdDecompress = (options: {
  chunkSize: number
  params: Readonly<Record<number, number>>
}) => ZlibStream

const native = (zlib as { createZstdDecompress?: CreateZstdDecompress }).createZstdDecompress

/** A number of libzstd's ABI; node:zlib has it as a constant only where it has the decoder. */
const ZSTD_D_WINDOW_LOG_MAX = 100

const NATIVE_OPTIONS = {
  chunkSize: CHUNK_BYTES,
  params: { [ZSTD_D_WINDOW_LOG_MAX]: MAX_WINDOW_LOG }
}

/** Whether node:zlib can decode Zstandard. */
export const HAS_NATIVE_ZSTD: boolean = native !== undefined

/**
 * Decodes Zstandard frames to the end of the source, in this process, and verifies their content checksums: node:zlib
 * does this itself, and `FrameCheck` does it for the JavaScript decoder, which is used below Node 22.15.
 * @throws COMPRESSION_INVALID for damage, truncation and anything else between frames
 */
export function unzstd(source: Source, onFrame: OnFrame = () => undefined): AsyncGenerator<Buffer> {
  return native === undefined
    ? unzstdInJavaScript(source, onFrame)
    : unzstdNatively(source, native, onFrame)
}

/** Called before each frame with content, when what is before it was returned. @param offset where it begins */
export type OnFrame = (offset: number) => void

/** The same for frames that arrive in their own time. @param isWhole false: they may end anywhere */
export async function* unzstdFrom(
  compressed: AsyncIterable<Buffer>,
  isWhole: boolean
): AsyncGenerator<Buffer> {
  if (native === undefined) {
    yield* decodeBlocks(framesFrom(compressed, 'blocks', isWhole), () => undefined)
    return
  }
  const pieces = framesFrom(compressed, 'frames', isWhole)
  for (let first = await pieces.next(); first.done !== true; first = await pieces.next())
    yield* throughAsync(native(NATIVE_OPTIONS), frameFrom(first.value, pieces))
}

async function* frameFrom(first: Piece, pieces: AsyncIterator<Piece>): AsyncGenerator<Buffer> {
  let { bytes, last } = first
  for (;;) {
    yield Buffer.from(bytes)
    if (last) return
    const next = await pieces.next()
    if (next.done === true) return
    ;({ bytes, last } = next.value)
  }
}

/** One decoder for each frame, because node:zlib ends its stream after the first. */
async function* unzstdNatively(
  source: Source,
  create: CreateZstdDecompress,
  onFrame: OnFrame
): AsyncGenerator<Buffer> {
  const pieces = frames(source, 'frames')
  for (let first = pieces.next(); first.done !== true; first = pieces.next()) {
    onFrame(first.value.offset)
    const stream = create(NATIVE_OPTIONS)
    try {
      const rest = yield* through(stream, oneFrame(first.value, pieces))
      if (rest.length > 0) throw endsEarly(first.value.offset + stream.bytesWritten)
    } catch (error) {
      throw invalidData(error, 'zstd', first.value.offset + stream.bytesWritten)
    }
  }
}

function endsEarly(offset: number): Error {
  return compressionInvalid(
    'The zstd data is damaged.',
    offset,
    'a frame ends before its last block'
  )
}

function oneFrame(first: Piece, pieces: Iterator<Piece, void>): Source {
  let piece: Piece | undefined = first
  let ended = false
  return () => {
    if (ended) return undefined
    const { bytes, last } = (piece ?? pieces.next().value) as Piece
    piece = undefined
    ended = last
    return bytes
  }
}

/**
 * Feeds single blocks, because fzstd hands out everything that one piece of input yields at once: then at most 128 KiB.
 */
export function unzstdInJavaScript(
  source: Source,
  onFrame: OnFrame = () => undefined
): AsyncGenerator<Buffer> {
  return decodeBlocks(frames(source, 'blocks'), onFrame)
}

async function* decodeBlocks(
  pieces: Iterable<Piece> | AsyncIterable<Piece>,
  onFrame: OnFrame
): AsyncGenerator<Buffer> {
  const { Decompress } = await import('fzstd')
  const output: Uint8Array[] = []
  const create = () => new Decompress((data) => output.push(data))
  let decoder = create()
  let check = new FrameCheck()
  let isBetween = true
  for await (const { bytes, last, offset } of pieces) {
    if (isBetween) onFrame(offset)
    isBetween = last
    check.takeStored(bytes)
    // fzstd keeps what it cannot decode yet, longer than the piece is valid
    attempt(() => void decoder.push(Buffer.from(bytes), last), offset)
    for (const data of output.splice(0)) {
      check.takeContent(data)
      if (data.length > 0) yield asBuffer(data)
    }
    if (!last) continue
    if (!check.isRight()) throw wrongChecksum(offset)
    decoder = create()
    check = new FrameCheck()
  }
}

function wrongChecksum(offset: number): Error {
  return compressionInvalid(
    'The zstd data is damaged.',
    offset,
    'the content of a frame does not match its checksum'
  )
}

/** Anything that a decoder throws on damaged input, including out-of-range errors, means damage. */
function attempt(decode: () => void, offset: number): void {
  try {
    decode()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw compressionInvalid('The zstd data is damaged.', offset, reason, error)
  }
}

function asBuffer(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}
