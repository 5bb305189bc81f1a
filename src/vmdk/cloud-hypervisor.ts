/** How Cloud Hypervisor reads a descriptor (after its source, block/src/formats/vmdk). */
import { fromText, toText, type ByteString } from '../bytes.ts'
import { extent, SECTOR, totalSectors, type Extent, type Reader } from './disk.ts'

export const cloudHypervisor: Reader = (descriptor) => {
  const text = toText(descriptor)
  if (text === undefined) return NO_DESCRIPTOR
  const [first, ...lines] = text.split('\n').map((line) => line.replace(/\r$/, ''))
  if (first!.trimEnd() !== '# Disk DescriptorFile') return NO_DESCRIPTOR
  const comment = lines.findIndex((line) => line.startsWith('#'))
  if (lines[comment] !== '# Extent description') return 'the extents have no heading'
  if (!isFlat(lines.slice(0, comment))) return 'the type is not known'
  const extents = extentsOf(lines.slice(comment + 1))
  if (typeof extents === 'string') return extents
  if (extents.length === 0) return 'there are no extents'
  return { extents, sectors: totalSectors(extents) }
}

const NO_DESCRIPTOR = 'the descriptor is taken for a raw disk'

/** The last type counts. */
function isFlat(header: readonly string[]): boolean {
  const types = header
    .map((line) => line.split('=').map((part) => part.trim()))
    .filter((parts) => parts.length === 2 && parts[0] === 'createType')
  return /^"*(?:monolithicFlat|twoGbMaxExtentFlat)"*$/.test(types.at(-1)?.[1] ?? '')
}

function extentsOf(lines: readonly string[]): Extent[] | string {
  const extents: Extent[] = []
  let isInExtents = true
  for (const line of lines) {
    if (line.trim() === '') continue
    if (line.startsWith('#')) {
      if (!HEADINGS.has(line)) return 'there is another comment behind the extents'
      isInExtents = false
    } else if (isInExtents) {
      const found = extentOf(line)
      if (typeof found === 'string') return found
      extents.push(found)
    }
  }
  return extents
}

const HEADINGS = new Set(['# The Disk Data Base', '#DDB'])

function extentOf(line: string): Extent | string {
  const [access, sectors, type, name, start = '0', ...more] = line.trim().split(/\s+/)
  if (name === undefined || more.length > 0) return 'an extent does not have four or five fields'
  if (!isNumber(sectors!) || !isNumber(start)) return 'an extent has no length or start'
  if (type !== 'FLAT') return 'an extent is not flat'
  if (Number(sectors) === 0) return 'an extent is empty'
  if (!/^(?:RW|RDONLY|NOACCESS)$/.test(access!)) return 'the access to an extent is not known'
  if (access === 'NOACCESS') return { sectors: Number(sectors), start: 0 }
  return extent(unquoted(name), Number(sectors), Number(start) * SECTOR)
}

function isNumber(text: string): boolean {
  return /^\+?\d+$/.test(text)
}

function unquoted(name: string): ByteString {
  return fromText(name.replace(/^"+|"+$/g, ''))
}
