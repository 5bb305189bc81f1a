/** The kind of body that a member has. */
import { display } from '../bytes.ts'
import type { OciUnpackError } from '../errors.ts'
import { gnuType } from './dialect.ts'
import type { EntryType } from './entry.ts'
import { tarInvalid } from './faults.ts'
import { formatOf, typeFlag } from './header.ts'
import { invalidValue, memberSize, type Source } from './member-values.ts'
import type { SparseMap } from './sparse.ts'
import { OldGnuSparseMap, oldGnuSize } from './sparse-gnu.ts'
import { paxSparseMap, paxSparseSize } from './sparse-pax.ts'

const OLD_GNU_SPARSE = 0x53 // S

/** What follows a member's header. */
export interface Body {
  /** Logical size in bytes, including holes. */
  size: number
  /** Size in the archive in bytes, including a map inside the body, without padding. */
  stored: number
  sparse: SparseMap | undefined
}

const NO_BODY: Body = { size: 0, stored: 0, sparse: undefined }

/**
 * Only files have a body. Like Go's archive/tar, this ignores the size field of all other types, but a directory in a
 * dump of GNU tar is followed by a list.
 */
export function readBody(source: Source, type: EntryType): Body {
  if (gnuType(typeFlag(source.block)) === 'dump') return { ...NO_BODY, stored: memberSize(source) }
  if (type !== 'file') return NO_BODY
  const stored = memberSize(source)
  const { block, records } = source
  if (typeFlag(block) === OLD_GNU_SPARSE) return oldGnuBody(source, stored)
  if (records === undefined) return { size: stored, stored, sparse: undefined }
  const sparse = paxSparseMap(records)
  if (sparse === undefined) throw unknownSparse(source)
  if (sparse === 'none') return { size: stored, stored, sparse: undefined }
  return { size: sparseSize(source, paxSparseSize(records)), stored, sparse }
}

function oldGnuBody(source: Source, stored: number): Body {
  const { bytes, at } = source.block
  if (formatOf(source.block) !== 'gnu') throw unknownSparse(source)
  const sparse = new OldGnuSparseMap(bytes, at)
  return { size: sparseSize(source, oldGnuSize(bytes, at)), stored, sparse }
}

function sparseSize(source: Source, size: number): number {
  if (!Number.isSafeInteger(size) || size < 0) {
    throw invalidValue(source, 'size of a sparse file', String(size))
  }
  return size
}

function unknownSparse(source: Source): OciUnpackError {
  return tarInvalid(source.block.offset, 'A sparse file is in an unknown format.', {
    entry: display(source.name)
  })
}
