/**
 * The file that keeps what is known of a layer. From its beginning: windows and entries, in the order in which they were
 * found; then the tail, which says where they are; then a footer, whose checksum covers the tail. Entries have a
 * digest of their own. A window needs none: if it is wrong, so is the digest of what is inflated with it. Numbers are little-endian.
 */
import { createHash } from 'node:crypto'
import { OciUnpackError } from '../errors.ts'
import type { Digest } from '../image/digest.ts'
import type { Compression } from '../image/media-types.ts'
import { SpanTable, type Place } from './span-table.ts'

/** To be increased whenever the form of anything in the file changes, also that of entries (`worker/entry-format.ts`). */
const FORMAT_VERSION = 1

/** What a file begins with, so that every place in it has an offset above 0. */
export const INDEX_MAGIC: Buffer = Buffer.from('oci-unpack layer index\n')

const END = Buffer.from('OCIUPIDX')
export const FOOTER_BYTES = 48

/** What the index is about. */
export interface IndexSubject {
  blob: Digest
  diffId: Digest
}

interface IndexHeader extends IndexSubject {
  formatVersion: number
  compression: Compression
  /** Bytes of the tar. */
  size: number
  /** Encoded entries, each batch compressed. */
  entries: readonly Place[]
  /** SHA-256 of all batches as they are in the file, in hex. */
  entriesDigest: string
  /** Bytes of the parts of the tail, in their order; the header is the rest of it. */
  runsBytes: number
  spansBytes: number
}

export interface IndexTail extends Omit<IndexHeader, 'formatVersion' | 'runsBytes' | 'spansBytes'> {
  /** Start and end of each long run of zeros in the tar. */
  runs: Float64Array
  spans: SpanTable
}

/** @param spans encoded */
export function encodeTail({
  runs,
  spans,
  ...rest
}: Omit<IndexTail, 'spans'> & { spans: Buffer }): Buffer {
  const runsBytes = Buffer.from(runs.buffer, runs.byteOffset, runs.byteLength)
  const header: IndexHeader = {
    formatVersion: FORMAT_VERSION,
    ...rest,
    runsBytes: runsBytes.length,
    spansBytes: spans.length
  }
  const tail = Buffer.concat([runsBytes, spans, Buffer.from(JSON.stringify(header))])
  const footer = Buffer.alloc(FOOTER_BYTES)
  footer.writeUInt32LE(runsBytes.length + spans.length, 0)
  footer.writeUInt32LE(tail.length, 4)
  checksumOf(tail).copy(footer, 8)
  END.copy(footer, FOOTER_BYTES - END.length)
  return Buffer.concat([tail, footer])
}

function checksumOf(tail: Buffer): Buffer {
  return createHash('sha256').update(tail).digest()
}

/** Bytes of the tail. @throws INDEX_INVALID */
export function tailBytes(footer: Buffer, file: string): number {
  if (footer.length !== FOOTER_BYTES || !footer.subarray(-END.length).equals(END))
    throw indexInvalid(file, 'it is cut off, or is something else')
  return footer.readUInt32LE(4)
}

/** Undefined if another version of this program made the file. @param footer what follows the tail @throws INDEX_INVALID */
export function parseTail(tail: Buffer, footer: Buffer, file: string): IndexTail | undefined {
  if (!checksumOf(tail).equals(footer.subarray(8, 40)))
    throw indexInvalid(file, 'its checksum is wrong')
  const header = JSON.parse(tail.toString('utf8', footer.readUInt32LE(0))) as IndexHeader
  const { formatVersion, runsBytes, spansBytes, ...rest } = header
  if (formatVersion !== FORMAT_VERSION) return undefined
  const runs = new Float64Array(new Uint8Array(tail.subarray(0, runsBytes)).buffer)
  const spans = new SpanTable(tail.subarray(runsBytes, runsBytes + spansBytes))
  const fault = spans.fault(rest.size)
  if (fault !== undefined) throw indexInvalid(file, fault)
  return { ...rest, runs, spans }
}

/** @throws INDEX_INVALID if the index is about another blob */
export function assertAbout({ blob }: IndexTail, expected: Digest, file: string): void {
  if (blob === expected) return
  throw indexInvalid(file, `it is the index of ${blob}`)
}

/** @throws INDEX_INVALID */
export function assertEntries(
  { entriesDigest }: IndexTail,
  stored: readonly Buffer[],
  file: string
): void {
  const hash = createHash('sha256')
  for (const batch of stored) hash.update(batch)
  if (hash.digest('hex') !== entriesDigest) throw indexInvalid(file, 'its entries are damaged')
}

export function indexInvalid(file: string, reason: string, cause?: unknown): OciUnpackError {
  return new OciUnpackError('INDEX_INVALID', 'The index of a layer cannot be used.', {
    facts: { file, reason },
    hint: 'Remove this file. It is made again when it is needed.',
    ...(cause === undefined ? {} : { cause })
  })
}
