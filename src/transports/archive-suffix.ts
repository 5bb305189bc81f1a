/** How a new archive is compressed: its name says so, as with `tar -a`. */
import type { PackedFormat } from '../codec/content.ts'
import { invalidName } from './path-and-tag.ts'

export type ArchiveFormat = PackedFormat | 'none'

const SUFFIXES: readonly (readonly [suffix: string, format: ArchiveFormat])[] = [
  ['.tar', 'none'],
  ['.tar.gz', 'gzip'],
  ['.tgz', 'gzip'],
  ['.tar.zst', 'zstd'],
  ['.tar.xz', 'xz'],
  ['.tar.bz2', 'bzip2']
]

/** @throws REFERENCE_INVALID for any other name */
export function archiveFormat(path: string): ArchiveFormat {
  const found = SUFFIXES.find(([suffix]) => path.endsWith(suffix))
  if (found !== undefined) return found[1]
  const suffixes = SUFFIXES.map(([suffix]) => suffix).join(', ')
  throw invalidName(`tar:${path}`, `a new archive is named ${suffixes}`)
}
