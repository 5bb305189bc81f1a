/** The choice of a compressor. */
import { OciUnpackError } from '../errors.ts'
import type { Compressor, Output } from './compressor.ts'
import type { Compression } from '../image/media-types.ts'
import { gzipBlocks } from './gzip-blocks.ts'
import { findOnPath } from './programs.ts'
import { HAS_NATIVE_ZSTD_COMPRESSOR, zstdByProgram, zstdNatively } from './zstd-compressor.ts'

export interface CompressorOptions {
  /** 1…9 for gzip (default 4), 1…19 for zstd (default 3). */
  readonly level?: number | undefined
  /** The number of processors to use, at least 1. The output does not depend on it. */
  readonly threads: number
}

/**
 * Level 4 of node's zlib makes layers 0.2 to 1.6 % smaller than umoci's; level 5 saves 0.5 to 4 % more for a
 * third more time (docs/decisions/2026-11-21-compression.md). 3 is the zstd program's own default.
 */
const LEVELS = {
  gzip: { normal: 4, highest: 9 },
  zstd: { normal: 3, highest: 19 }
} as const

/**
 * Checks before any work.
 * @throws USAGE for a level that the format does not have, COMPRESSOR_UNAVAILABLE if neither this Node (22.15 or later)
 * nor a program in PATH can write Zstandard
 */
export function assertCanCompress(compression: Compression, level: number | undefined): void {
  if (compression === 'none') return
  levelOf(compression, level)
  if (compression === 'zstd') assertCanWriteZstd(zstdProgram())
}

/**
 * Compresses a layer in bounded memory (less than 64 MiB here; the zstd program needs more).
 * @throws what `assertCanCompress` throws; `write` and `end` throw COMPRESSOR_FAILED
 */
export function createCompressor(
  compression: Compression,
  options: CompressorOptions,
  output: Output
): Compressor {
  switch (compression) {
    case 'none':
      return passThrough(output)
    case 'gzip':
      return gzipBlocks(levelOf('gzip', options.level), options.threads, output)
    case 'zstd': {
      const level = levelOf('zstd', options.level)
      const program = zstdProgram()
      assertCanWriteZstd(program)
      return program === undefined
        ? zstdNatively(level, output)
        : zstdByProgram(program, level, options.threads, output)
    }
  }
}

function passThrough(output: Output): Compressor {
  return {
    async write(chunk) {
      output(Buffer.from(chunk))
      return Promise.resolve(chunk)
    },
    end: () => Promise.resolve(),
    stop: () => Promise.resolve()
  }
}

function levelOf(compression: 'gzip' | 'zstd', level: number | undefined): number {
  const { normal, highest } = LEVELS[compression]
  if (level === undefined) return normal
  if (Number.isInteger(level) && level >= 1 && level <= highest) return level
  throw new OciUnpackError('USAGE', `The compression ${compression} has no level ${level}.`, {
    facts: { expected: `1 to ${highest}`, found: level }
  })
}

/** It comes first because it uses all processors, and writes the same bytes whatever the version of Node. */
function zstdProgram(): string | undefined {
  return findOnPath('zstd', process.env.PATH)
}

function assertCanWriteZstd(program: string | undefined): void {
  if (program !== undefined || HAS_NATIVE_ZSTD_COMPRESSOR) return
  throw new OciUnpackError('COMPRESSOR_UNAVAILABLE', 'This system cannot write zstd.', {
    facts: {
      reason: `Node ${process.versions.node} cannot write zstd, and PATH has no zstd program`
    },
    hint: 'Install the zstd program, use Node 22.15 or later, or compress with gzip.'
  })
}
