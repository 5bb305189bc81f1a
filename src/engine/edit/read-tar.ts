/** The uncompressed bytes of an archive, whatever it comes from. */
import { fstatSync } from 'node:fs'
import { probeDecompressors } from '../../codec/choice.ts'
import { packedWith } from '../../codec/content.ts'
import { decompress } from '../../codec/decompress.ts'
import { reread } from '../../codec/source.ts'
import { OciUnpackError } from '../../errors.ts'
import { readFully } from '../../sys/read.ts'
import { layerCheck } from '../../worker/layer-check.ts'
import { arriving, headFirst, HEAD_BYTES, spooled, type ArchiveInput } from './archive-input.ts'

/**
 * Chunks, each valid until the next. gzip and zstd are recognised by their first bytes and decompressed; what is
 * compressed and arrives through a pipe is kept in a temporary file first. All of it is what an unpack can read.
 * @throws COMPRESSION_INVALID, TAR_INVALID, ENTRY_INVALID, LIMIT_EXCEEDED, USAGE for nothing and other compressions,
 * ABORTED
 */
export async function* readTar(
  input: ArchiveInput,
  signal: AbortSignal | undefined
): AsyncGenerator<Buffer> {
  const check = layerCheck()
  let isEmpty = true
  for await (const chunk of uncompressed(input, signal)) {
    isEmpty = false
    check.push(chunk)
    yield chunk
  }
  if (isEmpty) throw unusable('it is empty')
  check.finish()
}

async function* uncompressed(
  input: ArchiveInput,
  signal: AbortSignal | undefined
): AsyncGenerator<Buffer> {
  if (input.kind === 'file') {
    yield* readFile(input, signal)
    return
  }
  const chunks = headFirst(arriving(input.fd, signal))
  const first = await chunks.next()
  if (first.done === true) return
  const whole = withFirst(first.value, chunks)
  if (packedWith(first.value) === undefined) {
    yield* whole
    return
  }
  const file = await spooled(whole)
  try {
    yield* readFile(file, signal)
  } finally {
    file.close()
  }
}

async function* readFile(
  { fd }: ArchiveInput,
  signal: AbortSignal | undefined
): AsyncGenerator<Buffer> {
  const head = Buffer.alloc(HEAD_BYTES)
  const compression = packedWith(head.subarray(0, readFully(fd, head, HEAD_BYTES, 0))) ?? 'none'
  if (compression === 'xz' || compression === 'bzip2')
    throw unusable(`it is compressed with ${compression}`)
  const choice = probeDecompressors('auto', process.env)
  const control = { aborted: () => signal?.aborted === true }
  const input = { fd, size: fstatSync(fd).size, read: reread(fd) }
  yield* decompress(input, compression, choice, control)
}

async function* withFirst(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first
  yield* rest
}

/** The error for what cannot become a layer; `reason` is a clause about the archive. */
export function unusable(reason: string, cause?: unknown): OciUnpackError {
  return new OciUnpackError('USAGE', 'The layer archive cannot be read.', {
    facts: { reason },
    hint: 'Give a tar archive, uncompressed or compressed with gzip or zstd.',
    ...(cause === undefined ? {} : { cause })
  })
}
