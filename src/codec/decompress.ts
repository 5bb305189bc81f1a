/** Decompression of a layer, whatever its format. */
import { aborted } from '../errors.ts'
import { decompressByProgram } from './by-program.ts'
import type { DecompressorChoice } from './choice.ts'
import type { Compression } from '../image/media-types.ts'
import { assertContent } from './content.ts'
import { gunzip } from './gunzip.ts'
import { gunzipByIsal } from './gunzip-isal.ts'
import { replay, type CompressedInput, type Source } from './source.ts'
import { unzstd } from './unzstd.ts'

/** What decompression needs to know about the work around it. */
export interface DecompressControl {
  /** Asked before each chunk, and while an external program is slow. */
  aborted(): boolean
}

const ALONE: DecompressControl = { aborted: () => false }

/**
 * The uncompressed bytes of a layer, in chunks of up to 1 MiB, each valid until the next iteration. The input is read
 * to its end, so that all of it is hashed. Memory is bounded (a few chunks, and a Zstandard window of at most 512 MiB);
 * the consumer has to limit the amount of output. Leaving the loop early kills an external program and waits until it
 * has ended.
 *
 * Specifications: image-spec layer.md (media types), RFC 1952 (gzip, with zero padding), RFC 8878 (Zstandard).
 * @throws COMPRESSION_INVALID if the content contradicts its media type, is damaged, cut off, or followed by other data
 * (`offset` counts compressed bytes), DECOMPRESSOR_FAILED, ABORTED
 */
export async function* decompress(
  input: CompressedInput,
  compression: Compression,
  choice: DecompressorChoice,
  control: DecompressControl = ALONE
): AsyncGenerator<Buffer> {
  assertGoing(control)
  const head = input.read()
  assertContent(head, compression)
  const source = replay(head, () => input.read())
  for await (const chunk of decode(input, compression, choice, source, control)) {
    assertGoing(control)
    yield chunk
  }
}

function decode(
  input: CompressedInput,
  compression: Compression,
  choice: DecompressorChoice,
  source: Source,
  control: DecompressControl
): Iterable<Buffer> | AsyncIterable<Buffer> {
  if (compression === 'none') return chunksOf(source)
  const chosen = choice[compression]
  if (chosen === 'isal') return gunzipByIsal(source) ?? gunzip(source)
  const { fd, size } = input
  if (chosen !== undefined && fd !== undefined && size >= WORTH_A_PROCESS_BYTES) {
    const idle = (): void => assertGoing(control)
    return decompressByProgram(chosen, compression, { fd, size }, source, idle)
  }
  switch (compression) {
    case 'gzip':
      return gunzip(source)
    case 'zstd':
      return unzstd(source)
  }
}

/** Starting a process takes 3 ms, in which node:zlib inflates this much. */
const WORTH_A_PROCESS_BYTES = 1 << 19

function* chunksOf(source: Source): Generator<Buffer> {
  for (let chunk = source(); chunk !== undefined; chunk = source()) yield chunk
}

function assertGoing(control: DecompressControl): void {
  if (control.aborted()) throw aborted()
}
