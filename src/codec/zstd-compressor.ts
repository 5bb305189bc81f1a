/** Compression to Zstandard, by Node or by a program. */
import { spawn } from 'node:child_process'
import type { Readable, Transform, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import * as zlib from 'node:zlib'
import { OciUnpackError } from '../errors.ts'
import { exitOf } from './child-exit.ts'
import type { Compressor, Output } from './compressor.ts'
import { environment } from './programs.ts'
import { CHUNK_BYTES } from './zlib-stream.ts'

interface ZstdOptions {
  readonly chunkSize: number
  readonly params: Record<number, number>
}

type CreateZstdCompress = (options: ZstdOptions) => Transform

/** The encoder of node:zlib, which exists since Node 22.15. */
const create = (zlib as { createZstdCompress?: CreateZstdCompress }).createZstdCompress

/** Whether node:zlib can write Zstandard. */
export const HAS_NATIVE_ZSTD_COMPRESSOR: boolean = create !== undefined

/** zstd.h: ZSTD_c_compressionLevel and ZSTD_c_checksumFlag, which the types for Node 20 lack. */
const LEVEL_PARAMETER = 100
const CHECKSUM_PARAMETER = 201

/** One frame with a content checksum, as umoci writes it, on one thread. */
export function zstdNatively(level: number, output: Output): Compressor {
  const params = { [LEVEL_PARAMETER]: level, [CHECKSUM_PARAMETER]: 1 }
  const stream = create!({ chunkSize: CHUNK_BYTES, params })
  const flow = flowThrough(stream, stream, output)
  return {
    ...flow,
    stop() {
      stream.destroy()
      return Promise.resolve()
    }
  }
}

/** One frame with a content checksum. The program's output does not depend on its number of threads. */
export function zstdByProgram(
  path: string,
  level: number,
  threads: number,
  output: Output
): Compressor {
  const args = ['-cq', '--check', `-T${threads}`, `-${level}`]
  const child = spawn(path, args, { stdio: 'pipe', env: environment() })
  const exit = exitOf(child)
  const flow = flowThrough(child.stdin, child.stdout, output)
  const failure = async (error: unknown): Promise<never> => {
    child.kill('SIGKILL')
    const ended = await exit
    if (!isBroken(error)) throw error
    throw failed(path, ended.kind === 'clean' ? 'it ended early' : ended.reason, error)
  }
  return {
    write: (chunk) => flow.write(chunk).catch(failure),
    async end() {
      await flow.end().catch(failure)
      const ended = await exit
      if (ended.kind !== 'clean') throw failed(path, ended.reason)
    },
    async stop() {
      child.kill('SIGKILL')
      await exit
    }
  }
}

/** Whether a stream failed because the program has ended. Any other error comes from the receiver of the output. */
function isBroken(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return code === 'EPIPE' || code.startsWith('ERR_STREAM_')
}

function failed(path: string, reason: string, cause?: unknown): OciUnpackError {
  return new OciUnpackError('COMPRESSOR_FAILED', `The compressor ${path} failed.`, {
    facts: { path, reason },
    ...(cause === undefined ? {} : { cause })
  })
}

/**
 * A write resolves when its bytes are taken; reading goes on by itself. A failure of either side rejects both calls.
 */
function flowThrough(
  input: Writable,
  result: Readable,
  output: Output
): Pick<Compressor, 'write' | 'end'> {
  const drained = Promise.race([drain(result, output), failureOf(input)])
  drained.catch(() => undefined)
  return {
    write: (chunk) => Promise.race([accepted((done) => input.write(chunk, done)), drained]),
    async end() {
      await Promise.all([accepted((done) => input.end(done)), drained])
    }
  }
}

function drain(result: Readable, output: Output): Promise<void> {
  result.on('data', (bytes: Buffer) => {
    try {
      output(bytes)
    } catch (error) {
      result.destroy(error as Error)
    }
  })
  return finished(result, { writable: false })
}

function failureOf(input: Writable): Promise<never> {
  return new Promise((_resolve, reject) => input.once('error', reject))
}

type Done = (error?: Error | null) => void

function accepted(send: (done: Done) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    send((error) => (error ? reject(error) : resolve()))
  })
}
