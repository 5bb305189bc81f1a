/** Decompression of a whole file that arrives in its own time. */
import { spawn } from 'node:child_process'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { OciUnpackError } from '../errors.ts'
import { exitOf } from './child-exit.ts'
import type { PackedFormat } from './content.ts'
import { environment, findOnPath } from './programs.ts'
import { unzstdFrom } from './unzstd.ts'
import { CHUNK_BYTES, compressionInvalid, invalidData, throughAsync } from './zlib-stream.ts'

const PACKAGES = { xz: 'xz-utils (Debian, Ubuntu) or xz (others)', bzip2: 'bzip2' } as const

/**
 * In chunks of up to 1 MiB. No decoder for xz and bzip2 is part of this program, so their programs are used.
 * @throws COMPRESSION_INVALID, DECOMPRESSOR_UNAVAILABLE, DECOMPRESSOR_FAILED, and what reading throws
 */
export function inflatedStream(
  format: PackedFormat,
  compressed: AsyncIterable<Buffer>
): AsyncIterable<Buffer> {
  switch (format) {
    case 'gzip':
      return gunzipped(compressed)
    case 'zstd':
      return unzstdFrom(compressed, true)
    case 'xz':
    case 'bzip2':
      return byProgram(format, compressed)
  }
}

async function* gunzipped(compressed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const stream = createGunzip({ chunkSize: CHUNK_BYTES })
  try {
    yield* throughAsync(stream, compressed)
  } catch (error) {
    throw invalidData(error, 'gzip', stream.bytesWritten)
  }
}

async function* byProgram(
  name: keyof typeof PACKAGES,
  compressed: AsyncIterable<Buffer>
): AsyncGenerator<Buffer> {
  const path = findOnPath(name, process.env.PATH)
  if (path === undefined) throw unavailable(name)
  const child = spawn(path, ['-dc'], { stdio: 'pipe', env: environment(), detached: true })
  const exit = exitOf(child)
  let failure: unknown
  pipeline(Readable.from(compressed, { highWaterMark: 1 }), child.stdin, (error) => {
    if (error?.code !== 'EPIPE') failure = error
  })
  try {
    for await (const chunk of child.stdout) yield chunk as Buffer
    const ended = await exit
    if (failure instanceof Error) throw failure
    if (ended.kind === 'not-started') throw failed(path, ended.reason)
    if (ended.kind === 'failed') throw damaged(name, ended.reason)
  } finally {
    child.kill('SIGKILL')
    await exit
  }
}

function unavailable(name: keyof typeof PACKAGES): OciUnpackError {
  return new OciUnpackError('DECOMPRESSOR_UNAVAILABLE', `The program ${name} is not installed.`, {
    facts: { path: name, reason: `the file is compressed with ${name}` },
    hint: `Install the package ${PACKAGES[name]}.`
  })
}

function failed(path: string, reason: string): OciUnpackError {
  return new OciUnpackError('DECOMPRESSOR_FAILED', 'A decompressor could not be started.', {
    facts: { path, reason }
  })
}

function damaged(name: string, reason: string): OciUnpackError {
  return compressionInvalid(`The ${name} data is damaged.`, 0, reason)
}
