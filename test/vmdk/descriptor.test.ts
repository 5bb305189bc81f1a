/** Descriptors that are written, and files that are refused. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromText } from '../../src/bytes.ts'
import { vmdkDescriptor } from '../../src/vmdk/descriptor.ts'
import { difference, READERS } from '../../src/vmdk/readers.ts'
import { failure } from '../support/failure.ts'

const UUID = Uint8Array.from({ length: 16 }, (_, i) => i + 1)

test('a descriptor is the same for ever', () => {
  const files = [
    { name: 'merged.erofs', size: 8 * 4096 },
    { name: 'sha256-1.erofs', size: 125 * 4096 },
    { name: 'sha256-1.erofs', size: 125 * 4096 }
  ]
  expect(vmdkDescriptor(files, UUID)).toBe(`# Disk DescriptorFile
version=1
CID=10000000
parentCID=ffffffff
createType="twoGbMaxExtentFlat"

# Extent description
RW 64 FLAT "merged.erofs" 0
RW 1000 FLAT "sha256-1.erofs" 0
RW 1000 FLAT "sha256-1.erofs" 0

# The Disk Data Base
#DDB

ddb.virtualHWVersion = "4"
ddb.geometry.cylinders = "3"
ddb.geometry.heads = "16"
ddb.geometry.sectors = "63"
ddb.adapterType = "ide"
`)
})

test.each([
  { sectors: 1, cylinders: 1 },
  { sectors: 1008, cylinders: 1 },
  { sectors: 1009, cylinders: 2 },
  // what a disk of 16 TiB has
  { sectors: 2 ** 35, cylinders: 34_087_043 }
])('$sectors sectors are $cylinders cylinders', ({ sectors, cylinders }) => {
  const text = vmdkDescriptor([{ name: 'f', size: sectors * 512 }], UUID)
  expect(text).toContain(`\nRW ${sectors} FLAT "f" 0\n`)
  expect(text).toContain(`\nddb.geometry.cylinders = "${cylinders}"\n`)
})

test('a disk never has the identifier of none', () => {
  const uuid = Buffer.from('ffffffff000000000000000000000000', 'hex')
  expect(vmdkDescriptor([{ name: 'f', size: 512 }], uuid)).toContain('\nCID=fffffffe\n')
})

const fileFaults: { name?: string; size?: number; reason: RegExp }[] = [
  { name: '', reason: /not that of a file/ },
  { name: '..', reason: /not that of a file/ },
  { name: 'd/f', reason: /slash/ },
  { name: '/f', reason: /slash/ },
  { name: 'a"b', reason: /quotation mark/ },
  { name: 'a b', reason: /space/ },
  { name: 'a\u00a0b', reason: /space/ },
  { name: 'a\nRW 8 FLAT "b" 0', reason: /quotation mark/ },
  { name: 'a\nb', reason: /control/ },
  { name: 'a\0b', reason: /control/ },
  { name: 'a\u0085b', reason: /control/ },
  { name: 'parentFileNameHint', reason: /parent/ },
  { name: 'x'.repeat(512), reason: /more than 511 bytes/ },
  { name: 'ü'.repeat(256), reason: /more than 511 bytes/ },
  { size: 0, reason: /cannot have 0 bytes/ },
  { size: -512, reason: /cannot have -512 bytes/ },
  { size: 2 ** 53, reason: /cannot have/ },
  { size: 511, reason: /whole sectors/ },
  { size: 1025, reason: /whole sectors/ }
]

test.each(fileFaults)('$name with $size bytes is refused', ({ name = 'f', size = 512, reason }) => {
  const error = failure(() => vmdkDescriptor([{ name: fromText(name), size }], UUID))
  expect(error).toMatchObject({
    code: 'VMDK_INVALID',
    facts: { reason: expect.stringMatching(reason) as string }
  })
})

test('a name that is not UTF-8 is refused, and shown', () => {
  expect(failure(() => vmdkDescriptor([{ name: 'a\xff', size: 512 }], UUID))).toMatchObject({
    code: 'VMDK_INVALID',
    facts: { file: 'a\\xff', reason: 'the name is not UTF-8' }
  })
})

test('a descriptor that readers would cut off is refused', () => {
  const files = (count: number): { name: string; size: number }[] =>
    Array.from({ length: count }, () => ({ name: 'x'.repeat(500), size: 512 }))
  expect(vmdkDescriptor(files(2000), UUID).length).toBeGreaterThan(10 ** 6)
  expect(failure(() => vmdkDescriptor(files(2100), UUID))).toMatchObject({ code: 'LIMIT_EXCEEDED' })
})

test('every reader sees the files, whatever their names', () => {
  const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).map(fromText)
  const word = fc.constantFrom(
    'CID',
    'createType',
    '=',
    'RW',
    '#',
    "'",
    ':',
    '\\',
    '%s',
    '\xc3\xbc'
  )
  const size = fc.integer({ min: 1, max: 2 ** 40 }).map((sectors) => sectors * 512)
  const file = fc.record({
    name: fc.oneof(
      name,
      fc.array(word, { minLength: 1 }).map((words) => words.join(''))
    ),
    size
  })
  let written = 0
  fc.assert(
    fc.property(fc.array(file, { minLength: 1, maxLength: 5 }), (files) => {
      const good = files.filter(({ name: one }) => isAccepted(one))
      if (good.length === 0) return
      written++
      const text = vmdkDescriptor(good, UUID)
      for (const read of Object.values(READERS))
        expect(difference(read, text, good)).toBeUndefined()
    }),
    { numRuns: 50 }
  )
  expect(written).toBeGreaterThan(10)
})

/** Only the refusal that is meant is one. */
function isAccepted(name: string): boolean {
  try {
    vmdkDescriptor([{ name, size: 512 }], UUID)
    return true
  } catch (error) {
    expect(error).toMatchObject({ code: 'VMDK_INVALID' })
    return false
  }
}
