/**
 * How imago reads a descriptor, the library with which libkrun reads disks (after its source, src/vmdk.rs). Starts of
 * extents count sectors, but it takes them for bytes.
 */
import { fromText, toText } from '../bytes.ts'
import { extent, type Extent, type Reader } from './disk.ts'

export const imago: Reader = (descriptor) => {
  const text = toText(descriptor)
  if (text === undefined) return 'the descriptor is not UTF-8'
  const extents: Extent[] = []
  const keys = new Map<string, string>()
  for (const line of completeLines(text).map((whole) => whole.trim())) {
    if (line === '' || line.startsWith('#')) continue
    const found = /^(RW|RDONLY|NOACCESS) /.test(line) ? extentOf(line) : keyOf(line, keys)
    if (typeof found === 'string') return found
    if (found !== undefined) extents.push(found)
  }
  const sectors = geometry(keys)
  return sectors === undefined ? 'the geometry is not a number' : { extents, sectors }
}

/** It loses a last line that has no end, and everything from a NUL on. */
function completeLines(text: string): string[] {
  return text.split('\0', 1)[0]!.split('\n').slice(0, -1)
}

function extentOf(line: string): Extent | string {
  const [, sectors, type, name, start, ...more] = line.split(/\s+/)
  if (!isNumber(sectors)) return 'an extent has no length'
  if (type === 'ZERO') return { sectors: Number(sectors), start: 0 }
  if (type !== 'FLAT') return 'an extent is not flat'
  if (start === undefined || more.length > 0) return 'an extent does not have five fields'
  if (!/^".*"$/.test(name!)) return 'the name of a file has no quotes'
  if (!isNumber(start)) return 'the start of an extent is not a number'
  return extent(fromText(name!.slice(1, -1)), Number(sectors), Number(start))
}

const KEYS = new Set(['version', 'CID', 'parentCID', 'createType'])

/** Notes a key. Lines that do not have one equals sign are skipped. */
function keyOf(line: string, keys: Map<string, string>): string | undefined {
  const [key, value, ...more] = line.split('=').map((part) => part.trim())
  if (value === undefined || more.length > 0) return undefined
  if (key === 'version' && !/^\+?0*[123]$/.test(value)) return 'the version is not known'
  if (!KEYS.has(key!) && !key!.startsWith('ddb.')) return 'a key is not known'
  keys.set(key!, value)
  return undefined
}

/** The length of the disk comes from here alone, even if there is nothing. */
function geometry(keys: ReadonlyMap<string, string>): number | undefined {
  const numbers = ['cylinders', 'heads', 'sectors']
    .map((name) => keys.get(`ddb.geometry.${name}`) ?? '0')
    .map((value) => /^"(.*)"$/.exec(value)?.[1] ?? value)
  return numbers.every(isNumber)
    ? numbers.reduce((product, n) => product * Number(n), 1)
    : undefined
}

function isNumber(text: string | undefined): boolean {
  return /^\+?\d+$/.test(text ?? '')
}
