/** Compression to Zstandard, by Node or by a program. */
import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import { compressByProgram } from './compress-by-program.ts'
import type { Compressor, Output } from './compressor.ts'
import { flowThrough } from './flow-through.ts'
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
  return compressByProgram({ path, args: ['-cq', '--check', `-T${threads}`, `-${level}`] }, output)
}
