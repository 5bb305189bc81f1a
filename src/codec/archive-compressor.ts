/** Compression of a whole archive, which may have formats that a layer cannot have. */
import { OciUnpackError } from '../errors.ts'
import { compressByProgram } from './compress-by-program.ts'
import { createCompressor } from './compress.ts'
import type { Compressor, Output } from './compressor.ts'
import type { PackedFormat } from './content.ts'
import { findOnPath, type Program } from './programs.ts'

/**
 * @param threads the number of processors to use, at least 1. The output does not depend on it
 * @throws COMPRESSOR_UNAVAILABLE; `write` and `end` throw COMPRESSOR_FAILED
 */
export function createArchiveCompressor(
  format: PackedFormat | 'none',
  threads: number,
  output: Output
): Compressor {
  if (format === 'xz') return compressByProgram(xz(threads), output)
  if (format === 'bzip2') return compressByProgram(bzip2(threads), output)
  return createCompressor(format, { threads }, output)
}

/** With more than one thread, xz divides the file into blocks, whose number depends on nothing but its size. */
function xz(threads: number): Program {
  const path = find('xz', 'xz-utils (Debian, Ubuntu) or xz (others)')
  return { path, args: ['-c', `-T${Math.max(2, threads)}`] }
}

/** Only others than the original use several processors. */
function bzip2(threads: number): Program {
  const parallel = findOnPath('pbzip2', process.env.PATH)
  if (parallel !== undefined) return { path: parallel, args: ['-c', `-p${threads}`] }
  return { path: find('bzip2', 'bzip2'), args: ['-c'] }
}

function find(name: string, packages: string): string {
  const path = findOnPath(name, process.env.PATH)
  if (path !== undefined) return path
  throw new OciUnpackError('COMPRESSOR_UNAVAILABLE', `The program ${name} is not installed.`, {
    facts: { path: name, reason: `the archive is to be compressed with ${name}` },
    hint: `Install the package ${packages}, or give the archive a name that ends in .tar, .tar.gz or .tar.zst.`
  })
}
