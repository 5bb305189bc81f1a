/** How an entry looks as bytes: numbers for its types, flags for what it may lack, and how long numbers are. */
import type { StagedEntry } from '../plan/staged-entry.ts'

export const TYPES: readonly StagedEntry['type'][] = [
  'file',
  'directory',
  'symlink',
  'hardlink',
  'char',
  'block',
  'fifo',
  'whiteout',
  'opaque'
]

export const typeNumbers: ReadonlyMap<StagedEntry['type'], number> = new Map(
  TYPES.map((type, number) => [type, number])
)

export const HAS_ATIME = 1
export const HAS_DIGEST = 2
export const HAS_BODY = 4
export const HAS_EXTENTS = 8
export const HAS_UNHELD = 16
export const DIGEST_BYTES = 32

export const NUMBERS = ['mode', 'uid', 'gid', 'size', 'devMajor', 'devMinor', 'staged'] as const

export const ONE_BYTE = 0xfe
export const TWO_BYTES_FOLLOW = 0xfe
export const DOUBLE_FOLLOWS = 0xff

export function flagsOf(entry: StagedEntry): number {
  return (
    (entry.atime === undefined ? 0 : HAS_ATIME) |
    (entry.sha256 === undefined ? 0 : HAS_DIGEST) |
    (entry.body === undefined ? 0 : HAS_BODY) |
    (entry.extents === undefined ? 0 : HAS_EXTENTS) |
    (entry.unheld === undefined ? 0 : HAS_UNHELD)
  )
}
