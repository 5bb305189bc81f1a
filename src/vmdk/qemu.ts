/** How qemu reads a descriptor (block/vmdk.c; the tests compare this model with qemu-img). */
import type { ByteString } from '../bytes.ts'
import { extent, SECTOR, totalSectors, type Extent, type Reader } from './disk.ts'

/** It decides by so many bytes whether a file is a descriptor. */
const PROBED = 512
/** It reads no more than that of a descriptor, and looks for identifiers and parents in less. In bytes. */
export const MAX_DESCRIPTOR: number = 2 ** 20 - 1
const IDENTIFIERS = 20 * SECTOR - 1

const TYPES = new Set([
  'monolithicFlat',
  'vmfs',
  'vmfsSparse',
  'seSparse',
  'twoGbMaxExtentSparse',
  'twoGbMaxExtentFlat'
])

export const qemu: Reader = (descriptor) => {
  if (!VERSION_LINE.test(descriptor.slice(0, PROBED)))
    return 'the descriptor is taken for a raw disk'
  const text = cString(descriptor.slice(0, MAX_DESCRIPTOR))
  const start = cString(descriptor.slice(0, IDENTIFIERS))
  const type = createType(text)
  if (type === undefined || !TYPES.has(type)) return 'the type is not known'
  if (start.includes('parentFileNameHint')) return 'it has a parent'
  if (!hasId(start, 'CID') || !hasId(start, 'parentCID')) return 'an identifier is missing'
  const extents = extentsOf(text)
  if (typeof extents === 'string') return extents
  if (extents.length === 0) return 'there are no extents'
  return { extents, sectors: totalSectors(extents) }
}

const VERSION_LINE = /^(?:#[^\n]*\n| +\r?\n)*version=[123]\r?\n/

function cString(bytes: ByteString): ByteString {
  const end = bytes.indexOf('\0')
  return end < 0 ? bytes : bytes.slice(0, end)
}

/** Wherever the word stands first, two characters later its value begins. */
function createType(text: ByteString): ByteString | undefined {
  const at = text.indexOf('createType')
  return at < 0 ? undefined : /^([^"]{0,127})"/.exec(text.slice(at + 'createType="'.length))?.[1]
}

/** `CID` is also found in `parentCID`. */
function hasId(start: ByteString, name: string): boolean {
  const at = start.indexOf(name)
  return at >= 0 && /^[ \t-\r]*[+-]?[0-9a-f]/i.test(start.slice(at + name.length + 1))
}

/**
 * Its scanf has these conversions. Each goes on after line ends, so that an extent behind an empty line is taken twice:
 * once from the empty line and once from its own.
 */
const FIELDS = [
  /[ \t-\r]*([^ \t-\r]{1,10})/y,
  /[ \t-\r]*([+-]?\d+)/y,
  /[ \t-\r]*([^ \t-\r]{1,10})/y,
  /[ \t-\r]*"([^\n\r"]{1,511})/y,
  /"[ \t-\r]*([+-]?\d+)/y
]

function extentsOf(text: ByteString): Extent[] | string {
  const extents: Extent[] = []
  for (let line = 0; line < text.length; line = nextLine(text, line)) {
    const fields = fieldsAt(text, line)
    const [access, sectors, type, name, start = '0'] = fields
    if (fields.length < 4 || access !== 'RW') continue
    if (fields.length !== (type === 'FLAT' ? 5 : 4) || Number(start) < 0)
      return 'the line of an extent is invalid'
    if (Number(sectors) <= 0) continue
    if (SPARSE.has(type!)) return 'an extent is sparse'
    if (type === 'FLAT' || type === 'VMFS')
      extents.push(extent(name!, Number(sectors), Number(start) * SECTOR))
  }
  return extents
}

/** It skips extents of other types, and what follows moves up. */
const SPARSE = new Set(['SPARSE', 'VMFSSPARSE', 'SESPARSE'])

function fieldsAt(text: ByteString, at: number): ByteString[] {
  const fields: ByteString[] = []
  let from = at
  for (const field of FIELDS) {
    field.lastIndex = from
    const found = field.exec(text)
    if (found === null) break
    fields.push(found[1]!)
    from = field.lastIndex
  }
  return fields
}

function nextLine(text: ByteString, at: number): number {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end + 1
}
