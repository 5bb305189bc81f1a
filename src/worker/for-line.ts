/** Which layers several threads can read together. */
import type { DecompressorChoice } from '../codec/choice.ts'
import type { Compression } from '../image/media-types.ts'
import { IsalInflater } from '../sys/isal.ts'

/** Whether the stages of reading are functions that any thread can call. */
export function isForLine({
  compression,
  decompressor
}: {
  compression: Compression
  decompressor: DecompressorChoice
}): boolean {
  if (compression === 'none') return true
  return compression === 'gzip' && decompressor.gzip === 'isal' && IsalInflater.isThere()
}
