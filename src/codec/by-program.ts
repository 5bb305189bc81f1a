/** Decompression by an external program. */
import { OciUnpackError } from '../errors.ts'
import { startChild } from './child.ts'
import type { Exit } from './child-exit.ts'
import { gunzip } from './gunzip.ts'
import { isWholeMember } from './gzip-trailer.ts'
import type { Program } from './programs.ts'
import { reread, type BlobFile, type Source } from './source.ts'
import { unzstd } from './unzstd.ts'
import { frames } from './zstd-frames.ts'

/**
 * Decompresses by an external program, which reads `file` itself. `hashed` returns the same bytes for hashing, and is
 * read along to its end. Programs may ignore data after the last member or fail on padding. To accept exactly what the
 * decoders in this process accept, one of them judges the whole blob if the outcome is in doubt.
 */
export async function* decompressByProgram(
  program: Program,
  format: 'gzip' | 'zstd',
  file: BlobFile,
  hashed: Source,
  idle: () => void
): AsyncGenerator<Buffer> {
  const follow = format === 'gzip' ? hashed : framesOf(hashed)
  const child = startChild(program, file.fd)
  let total = 0
  try {
    for (let chunk = await child.next(idle); chunk.length > 0; chunk = await child.next(idle)) {
      total += chunk.length
      yield chunk
      follow()
    }
    while (follow() !== undefined) idle()
    const exit = await child.ended(idle)
    if (exit.kind === 'clean' && (format === 'zstd' || isWholeMember(file, total))) return
    await judge(program, format, file, { exit, total, idle })
  } finally {
    await child.stop()
  }
}

/** Reads on, and checks that the blob consists only of Zstandard frames. */
function framesOf(hashed: Source): Source {
  let chunk: Buffer | undefined
  const walk = frames(() => (chunk = hashed()), 'frames')
  return () => (walk.next().done === true ? undefined : chunk)
}

/** COMPRESSION_INVALID if the blob is bad, DECOMPRESSOR_FAILED if the program is. */
async function judge(
  program: Program,
  format: 'gzip' | 'zstd',
  file: BlobFile,
  run: { readonly exit: Exit; readonly total: number; readonly idle: () => void }
): Promise<void> {
  if (run.exit.kind === 'not-started') throw failed(program, run.exit.reason)
  const decode = format === 'gzip' ? gunzip : unzstd
  let total = 0
  for await (const chunk of decode(reread(file.fd))) {
    total += chunk.length
    run.idle()
  }
  if (total === run.total) return
  const reason =
    run.exit.kind === 'clean'
      ? 'its output differs from that of the built-in decoder'
      : run.exit.reason
  throw failed(program, reason, { expected: total, found: run.total })
}

function failed(
  program: Program,
  reason: string,
  bytes: { readonly expected?: number; readonly found?: number } = {}
): OciUnpackError {
  return new OciUnpackError('DECOMPRESSOR_FAILED', `The decompressor ${program.path} failed.`, {
    facts: { path: program.path, reason, ...bytes },
    hint: 'The layer itself is intact. Set {decompressor} to another program, or to none.'
  })
}
