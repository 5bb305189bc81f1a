/** Inflates a file on its way to the output, if it is compressed: threads write it to a pipe, which is read here. */
import { createReadStream } from 'node:fs'
import { packedWith, type PackedFormat } from '../../codec/content.ts'
import { inflatedStream } from '../../codec/inflated-stream.ts'
import { OciUnpackError } from '../../errors.ts'
import { outputWriter, type OutputDescription } from '../../rootfs/output-writer.ts'
import { isErrno } from '../../sys/failure.ts'
import { close } from '../../sys/files.ts'
import { pipe } from '../../sys/pipe.ts'
import { throwIfAborted } from '../operation/abort.ts'

const PIPE_BYTES = 1 << 20

/** The first bytes, from which any format is recognised. */
const HEAD_BYTES = 4096
const TAIL_BYTES = 512

export interface Inflated {
  /** Undefined if the file was not compressed. */
  compression: PackedFormat | undefined
  /** Bytes that were written. */
  size: number
  head: Buffer
  tail: Buffer
}

export interface InflateSettings {
  signal: AbortSignal | undefined
  /** The most bytes that the file may become. */
  limit: number
}

/**
 * @param output undefined: nothing is written
 * @param run writes the file to the stream that it is given
 * @throws what `run` throws, COMPRESSION_INVALID, DECOMPRESSOR_*, LIMIT_EXCEEDED, SYSCALL_FAILED
 */
export async function withInflating<T>(
  output: OutputDescription | undefined,
  settings: InflateSettings,
  run: (stream: OutputDescription) => Promise<T>
): Promise<{ result: T; inflated: Inflated }> {
  const ends = pipe(PIPE_BYTES)
  const taking = take(ends.read, output, settings)
  taking.catch(() => undefined)
  let result: T
  try {
    result = await run({ kind: 'stream', fd: ends.write, mayBlock: true })
  } catch (error) {
    close(ends.write)
    throw await worse(error, taking)
  }
  close(ends.write)
  return { result, inflated: await taking }
}

/** A writer to a pipe that is no longer read does not know why. */
async function worse(error: unknown, taking: Promise<Inflated>): Promise<unknown> {
  if (!isErrno(error, 'EPIPE')) return error
  try {
    await taking
    return error
  } catch (failure) {
    return failure
  }
}

async function take(
  fd: number,
  output: OutputDescription | undefined,
  { signal, limit }: InflateSettings
): Promise<Inflated> {
  const source = createReadStream('', { fd, highWaterMark: PIPE_BYTES })
  try {
    const input = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    const start = await headOf(input)
    const compression = packedWith(start)
    const file = joined(start, input)
    const chunks = compression === undefined ? file : inflatedStream(compression, file)
    const ends = new Ends()
    const pause = (): void => throwIfAborted(signal)
    const writer = output && outputWriter(output, pause)
    writer?.begin(output!.fd, 0)
    for await (const chunk of chunks) {
      pause()
      if (ends.size + chunk.length > limit) throw tooLarge(limit)
      writer?.write(chunk, 0, chunk.length, ends.size)
      ends.add(chunk)
    }
    writer?.finish(ends.size)
    return { compression, size: ends.size, head: ends.head, tail: ends.tail }
  } catch (error) {
    throw aboutFile(error)
  } finally {
    source.destroy()
  }
}

/** Decoders suppose that they read a layer. */
function aboutFile(error: unknown): unknown {
  if (!(error instanceof OciUnpackError) || error.code !== 'COMPRESSION_INVALID') return error
  return new OciUnpackError('COMPRESSION_INVALID', 'The file in the image cannot be inflated.', {
    facts: { ...error.facts, reason: `${error.message} ${error.facts.reason ?? ''}`.trimEnd() },
    hint: 'Find out with verify whether its layer is damaged. If it is not, the file was stored like this: leave out {inflate} to get it as it is.',
    cause: error
  })
}

async function headOf(input: AsyncIterator<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = []
  for (let bytes = 0; bytes < HEAD_BYTES;) {
    const next = await input.next()
    if (next.done === true) break
    parts.push(next.value)
    bytes += next.value.length
  }
  return Buffer.concat(parts)
}

async function* joined(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
}

/** The beginning and the end of what passes. */
class Ends {
  head: Buffer = Buffer.alloc(0)
  tail: Buffer = Buffer.alloc(0)
  size = 0

  add(chunk: Buffer): void {
    if (this.head.length < HEAD_BYTES)
      this.head = Buffer.concat([this.head, chunk]).subarray(0, HEAD_BYTES)
    this.tail = Buffer.from(
      Buffer.concat([this.tail, chunk.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES)
    )
    this.size += chunk.length
  }
}

function tooLarge(limit: number): OciUnpackError {
  return new OciUnpackError('LIMIT_EXCEEDED', 'The file inflates to too many bytes.', {
    facts: { expected: `at most ${limit}` },
    hint: 'Raise {limits.unpackedBytes} if you trust the image.'
  })
}
