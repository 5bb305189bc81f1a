/** Sparse maps in PAX records. */
import type { ByteString } from '../bytes.ts'
import { BLOCK_SIZE } from './header.ts'
import { parseDecimal } from './number.ts'
import type { PaxRecord, PaxRecords } from './pax.ts'
import type { Extents, SparseMap } from './sparse.ts'

const MAP = 'GNU.sparse.map'

/**
 * Records by key; the last of equal keys counts. The repeated `GNU.sparse.offset` and `.numbytes` records of format 0.0
 * become the one map record of format 0.1; undefined if they do not alternate.
 */
export function collectRecords(
  records: readonly PaxRecord[]
): Map<ByteString, ByteString> | undefined {
  const byKey = new Map<ByteString, ByteString>()
  const numbers: ByteString[] = []
  for (const [key, value] of records) {
    const turn = key === 'GNU.sparse.offset' ? 0 : key === 'GNU.sparse.numbytes' ? 1 : undefined
    if (turn === undefined) byKey.set(key, value)
    else if (turn === numbers.length % 2) numbers.push(value)
    else return undefined
  }
  if (numbers.length > 0) byKey.set(MAP, numbers.join(','))
  return byKey
}

/**
 * The map that PAX records announce (GNU tar manual, "Sparse Formats"): `none` for an ordinary file, undefined for an
 * unknown version or form.
 */
export function paxSparseMap(records: PaxRecords): SparseMap | 'none' | undefined {
  const version = `${records.get('GNU.sparse.major') ?? ''}.${records.get('GNU.sparse.minor') ?? ''}`
  const map = records.get(MAP)
  switch (version) {
    case '1.0':
      return new BodySparseMap()
    case '0.0':
    case '0.1':
      return map === undefined ? undefined : recordMap(map, records)
    case '.':
      return map === undefined ? 'none' : recordMap(map, records)
    default:
      return undefined
  }
}

/** Logical size of a file that PAX records call sparse; NaN if they do not give it. */
export function paxSparseSize(records: PaxRecords): number {
  return parseDecimal(records.get('GNU.sparse.size') ?? records.get('GNU.sparse.realsize') ?? '')
}

function recordMap(map: ByteString, records: PaxRecords): SparseMap {
  const extents = map === '' ? [] : map.split(',').map(parseDecimal)
  const announced = records.get('GNU.sparse.numblocks')
  if (announced !== undefined && Number(announced) !== extents.length / 2) extents.push(NaN)
  return { extents, complete: true, inBody: false, block: () => undefined }
}

/** Format 1.0: decimal lines at the start of the body (a count, then offsets and lengths), padded. */
class BodySparseMap implements SparseMap {
  readonly extents: number[] = []
  readonly inBody = true
  complete = false
  private missing: number | undefined
  private line = ''

  block(bytes: Buffer, at: number): void {
    const lines = (this.line + bytes.toString('latin1', at, at + BLOCK_SIZE)).split('\n')
    this.line = lines.pop() ?? ''
    for (const line of lines) if (!this.complete) this.number(parseDecimal(line))
    if (this.line.length > BLOCK_SIZE) this.number(NaN)
  }

  private number(value: number): void {
    if (this.missing === undefined) this.missing = value * 2
    else {
      this.extents.push(value)
      this.missing--
    }
    if (Number.isNaN(value)) this.extents.push(NaN)
    this.complete = !(this.missing > 0) || Number.isNaN(value)
  }
}

/** A format 1.0 map as it begins the body, padded to whole blocks. */
export function encodeSparseMap(extents: Extents): Buffer {
  const text = [extents.length / 2, ...extents].map((number) => `${number}\n`).join('')
  const map = Buffer.alloc(Math.ceil(text.length / BLOCK_SIZE) * BLOCK_SIZE)
  map.write(text, 'latin1')
  return map
}

/** The records of a format 1.0 file, whose header has another name and size. */
export function sparseRecords(name: ByteString, size: number): PaxRecord[] {
  return [
    ['GNU.sparse.major', '1'],
    ['GNU.sparse.minor', '0'],
    ['GNU.sparse.name', name],
    ['GNU.sparse.realsize', String(size)]
  ]
}
