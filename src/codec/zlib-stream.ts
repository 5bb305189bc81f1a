/** Node's zlib streams as iterators of chunks. */
import { pipeline, Readable, type Transform } from 'node:stream'
import { OciUnpackError } from '../errors.ts'
import { release } from './release.ts'
import type { Source } from './source.ts'

/** Output chunks of 1 MiB: inflates 560 MB/s, compared with 205 MB/s with Node's default of 16 KiB. */
export const CHUNK_BYTES: number = 1 << 20

/** What the streams of node:zlib have in common. */
export interface ZlibStream extends Transform {
  /** Input bytes that the codec has consumed. */
  readonly bytesWritten: number
}

/**
 * Pulls a source through a zlib stream. The codec works in libuv's pool, one chunk ahead of the consumer: a finished
 * chunk fills the stream's buffer, and taking it starts the next. Returns the rest of the last chunk if the codec
 * stopped before the end of the source.
 */
export async function* through(stream: ZlibStream, source: Source): AsyncGenerator<Buffer, Buffer> {
  const feeding = feed(stream, source)
  try {
    for await (const chunk of stream) {
      yield chunk as Buffer
      release(chunk as Buffer)
    }
    return feeding.rest(stream.bytesWritten)
  } finally {
    stream.destroy()
  }
}

/** The same for a source that is asynchronous; what the codec leaves of it is lost. */
export async function* throughAsync(
  stream: ZlibStream,
  input: AsyncIterable<Buffer>
): AsyncGenerator<Buffer> {
  pipeline(Readable.from(input, { highWaterMark: 1 }), stream, () => undefined)
  try {
    for await (const chunk of stream) {
      yield chunk as Buffer
      release(chunk as Buffer)
    }
  } finally {
    stream.destroy()
  }
}

/** One write at a time: the next chunk is requested only after all of the one before has been consumed. */
function feed(stream: ZlibStream, source: Source): { rest(consumed: number): Buffer } {
  let chunk: Buffer = Buffer.alloc(0)
  let before = 0
  const hasStopped = () => stream.bytesWritten < before + chunk.length
  const next = (): void => {
    try {
      const read = source()
      before += chunk.length
      chunk = read ?? Buffer.alloc(0)
      if (read === undefined) stream.end()
      else stream.write(read, (error) => (error || hasStopped() ? undefined : next()))
    } catch (error) {
      stream.destroy(error as Error)
    }
  }
  next()
  return { rest: (consumed) => chunk.subarray(consumed - before) }
}

/** Turns an error of the codec into COMPRESSION_INVALID; `offset` counts compressed bytes. Returns others unchanged. */
export function invalidData(error: unknown, format: string, offset: number): unknown {
  if (!(error instanceof Error) || !/^(Z_|ZSTD_)/.test(codeOf(error))) return error
  const cutOff = codeOf(error) === 'Z_BUF_ERROR'
  return compressionInvalid(
    cutOff ? `The ${format} data is cut off.` : `The ${format} data is damaged.`,
    offset,
    error.message,
    error
  )
}

export function compressionInvalid(
  message: string,
  offset: number,
  reason: string,
  cause?: unknown
): OciUnpackError {
  return new OciUnpackError('COMPRESSION_INVALID', message, {
    facts: { offset, reason },
    hint: 'The blob is not a valid layer. Copy or build the image again.',
    ...(cause === undefined ? {} : { cause })
  })
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : ''
}
