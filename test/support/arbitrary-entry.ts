import fc, { type Arbitrary, type StringConstraints } from 'fast-check'
import type { EntryType, TarEntry, Timespec, Xattr } from '../../src/tar/entry.ts'
import { entry } from './archive.ts'

/** Strings in which every character is one byte. */
export function byteString(
  constraints: Pick<StringConstraints, 'minLength' | 'maxLength'> = {}
): Arbitrary<string> {
  const byte = fc.nat({ max: 255 }).map((code) => String.fromCharCode(code))
  return fc.string({ unit: byte, ...constraints })
}

const component = fc.oneof(
  fc.constantFrom('a', '.', '..', '.wh.a', 'x'.repeat(99), 'y'.repeat(155), 'z'.repeat(255)),
  byteString({ minLength: 1, maxLength: 12 })
)

const name = fc
  .array(component, { minLength: 1, maxLength: 6 })
  .map((parts) => parts.join('/').replaceAll('\0', '_'))

const id = fc.oneof(
  fc.constantFrom(0, 0o7777777, 0o10000000, 2 ** 32 - 2),
  fc.nat({ max: 2 ** 32 - 2 })
)

const time: Arbitrary<Timespec> = fc.record({
  sec: fc.oneof(
    fc.constantFrom(0, -1, 8 ** 11 - 1, 8 ** 11),
    fc.integer({ min: -(2 ** 36), max: 2 ** 36 })
  ),
  nsec: fc.oneof(fc.constant(0), fc.nat({ max: 999_999_999 }))
})

const xattrName = byteString({ minLength: 1, maxLength: 30 }).filter((text) => !/[=\0]/.test(text))
const xattr: Arbitrary<Xattr> = fc.tuple(xattrName, byteString({ minLength: 1, maxLength: 80 }))
const xattrs = fc.uniqueArray(xattr, { maxLength: 3, selector: ([key]) => key })

const types: readonly EntryType[] = [
  'file',
  'directory',
  'symlink',
  'hardlink',
  'char',
  'block',
  'fifo'
]

/** Any entry that the writer can write, without its body's size: that is 0. */
export const anyEntry: Arbitrary<TarEntry> = fc
  .record({
    type: fc.constantFrom(...types),
    name,
    link: name,
    mode: fc.nat({ max: 0o7777 }),
    uid: id,
    gid: id,
    mtime: time,
    devMajor: fc.nat({ max: 0xfff }),
    devMinor: fc.nat({ max: 0xf_ffff }),
    xattrs
  })
  .map((fields) => entry(withoutWhatTypesLack(fields)))

function withoutWhatTypesLack(fields: Omit<TarEntry, 'size' | 'offset'>): Partial<TarEntry> {
  const linked = fields.type === 'symlink' || fields.type === 'hardlink'
  const device = fields.type === 'char' || fields.type === 'block'
  return {
    ...fields,
    name: fields.type === 'file' ? fields.name.replace(/\/+$/, '') + 'f' : fields.name,
    link: linked ? fields.link : '',
    devMajor: device ? fields.devMajor : 0,
    devMinor: device ? fields.devMinor : 0
  }
}
