import { describe, expect, test } from 'vitest'
import { archive, readArchive, type ReadEntry } from '../support/archive.ts'
import { failure } from '../support/failure.ts'
import { GNU, octal, padded, paxHeader, rawHeader, rawMember } from '../support/raw-header.ts'

/** `....aa....bbb.`: what every sparse form below describes. */
const BODY = '\0\0\0\0aa\0\0\0\0bbb\0'
const STORED = 'aabbb'

function first(...blocks: readonly Buffer[]): ReadEntry {
  return readArchive(archive(...blocks))[0]!
}

function oldGnu(pairs: readonly number[], size: number, extended = '\0'): Record<number, string> {
  return { 386: pairs.map((n) => octal(n)).join(''), 482: extended, 483: octal(size) }
}

const forms: readonly (readonly [string, () => Buffer])[] = [
  ['old GNU', () => rawMember({ type: 'S', magic: GNU, at: oldGnu([4, 2, 10, 3], 14) }, STORED)],
  [
    'PAX 0.0',
    () => {
      const map = ['GNU.sparse.offset=4', 'GNU.sparse.numbytes=2', 'GNU.sparse.offset=10']
      const records = ['GNU.sparse.size=14', 'GNU.sparse.numblocks=2', ...map]
      return Buffer.concat([
        paxHeader([...records, 'GNU.sparse.numbytes=3']),
        rawMember({}, STORED)
      ])
    }
  ],
  [
    'PAX 0.1',
    () => {
      const records = ['GNU.sparse.size=14', 'GNU.sparse.numblocks=2', 'GNU.sparse.map=4,2,10,3']
      return Buffer.concat([
        paxHeader([...records, 'GNU.sparse.name=file']),
        rawMember({ name: 'GNUSparseFile.1/file' }, STORED)
      ])
    }
  ],
  [
    'PAX 1.0',
    () => {
      const records = ['GNU.sparse.major=1', 'GNU.sparse.minor=0', 'GNU.sparse.name=file']
      const map = padded('2\n4\n2\n10\n3\n').toString('latin1')
      return Buffer.concat([
        paxHeader([...records, 'GNU.sparse.realsize=14']),
        rawMember({ name: 'GNUSparseFile.1/file' }, map + STORED)
      ])
    }
  ]
]

test.each(forms)('%s gives the file with its holes, its name and its size', (_, form) => {
  const bytes = archive(form(), rawMember({ name: 'next' }, 'n'))
  for (const cuts of [[], Array.from(bytes.keys())]) {
    const [read, next] = readArchive(bytes, { cuts })
    expect(read?.body.toString('latin1')).toBe(BODY)
    expect(read?.delivered).toBe(STORED.length)
    expect(read?.entry).toMatchObject({ type: 'file', name: 'file', size: 14, offset: 0 })
    expect(next?.body.toString()).toBe('n')
  }
})

/** As many one-byte extents as asked for, every second byte. */
function manyExtents(count: number): number[] {
  return Array.from({ length: count }, (_, i) => [i * 2, 1]).flat()
}

test('an old GNU map goes on in extension blocks', () => {
  const pairs = manyExtents(4 + 21 + 2)
  const extension = (from: number, to: number, more: string) => {
    const block = Buffer.alloc(512)
    block.write(
      pairs
        .slice(from * 2, to * 2)
        .map((n) => octal(n))
        .join(''),
      'latin1'
    )
    block.write(more, 504, 'latin1')
    return block
  }
  const header = {
    type: 'S',
    magic: GNU,
    size: octal(27),
    at: oldGnu(pairs.slice(0, 8), 54, '\x01')
  }
  const read = first(
    rawHeader(header),
    extension(4, 25, '\x01'),
    extension(25, 27, '\0'),
    padded('x'.repeat(27))
  )
  expect(read.body.toString('latin1')).toBe('x\0'.repeat(27))
})

test('a PAX 1.0 map may take several blocks', () => {
  const pairs = manyExtents(300)
  const map = padded([300, ...pairs].map((n) => `${n}\n`).join('')).toString('latin1')
  expect(map.length).toBeGreaterThan(1024)
  const records = ['GNU.sparse.major=1', 'GNU.sparse.minor=0', 'GNU.sparse.realsize=600']
  const read = first(paxHeader(records), rawMember({}, map + 'x'.repeat(300)))
  expect(read.body.toString('latin1')).toBe('x\0'.repeat(300))
})

test('a file of one hole has no bytes in the archive', () => {
  const read = first(rawMember({ type: 'S', magic: GNU, at: oldGnu([1 << 20, 0], 1 << 20) }, ''))
  expect(read.entry.size).toBe(1 << 20)
  expect(read.delivered).toBe(0)
})

describe('a map is refused', () => {
  const old = (pairs: readonly number[], size = 14, stored = STORED) => [
    rawMember({ type: 'S', magic: GNU, at: oldGnu(pairs, size) }, stored)
  ]
  const pax = (records: readonly string[], content = STORED) => [
    paxHeader(records),
    rawMember({}, content)
  ]
  const version1 = ['GNU.sparse.major=1', 'GNU.sparse.minor=0', 'GNU.sparse.realsize=14']
  const body1 = (map: string) => pax(version1, padded(map).toString('latin1') + STORED)

  const swapped = [
    'GNU.sparse.size=14',
    'GNU.sparse.numbytes=4',
    'GNU.sparse.offset=2',
    'GNU.sparse.numbytes=10',
    'GNU.sparse.offset=3'
  ]

  test.each([
    ['whose extents overlap', old([4, 3, 6, 2])],
    ['whose extents go backwards', old([10, 3, 4, 2])],
    ['that leaves the file', old([4, 2, 12, 3])],
    ['that holds less than the archive', old([4, 2])],
    ['that holds more than the archive', old([4, 2, 10, 4])],
    [
      'in a header that is not GNU’s',
      [rawMember({ type: 'S', at: oldGnu([4, 2, 10, 3], 14) }, STORED)]
    ],
    ['for a size that is no number', old([4, 2, 10, 3], NaN)],
    ['without a size', pax(['GNU.sparse.map='], '')],
    ['of a size above 2^53-1', pax(['GNU.sparse.map=4,2,10,3', `GNU.sparse.size=${2 ** 53}`])],
    ['of a negative size', pax(['GNU.sparse.map=4,2,10,3', 'GNU.sparse.size=-14'])],
    ['of numbers that are none', pax(['GNU.sparse.map=4,2,x,3', 'GNU.sparse.size=14'])],
    ['of half a pair', pax(['GNU.sparse.map=4,2,10', 'GNU.sparse.size=14'], 'aa')],
    [
      'of another length than announced',
      pax(['GNU.sparse.map=4,2,10,3', 'GNU.sparse.size=14', 'GNU.sparse.numblocks=3'])
    ],
    ['whose 0.0 records do not alternate', pax(swapped)],
    ['of an unknown version', pax(['GNU.sparse.major=2', 'GNU.sparse.minor=0'])],
    ['that a version promises but is not there', pax(['GNU.sparse.major=0', 'GNU.sparse.minor=1'])],
    ['that does not end within the body', pax(version1, padded('9\n1\n').toString('latin1'))],
    ['that has no whole block', pax(version1, '2\n')],
    ['of lines that are no numbers', body1('2\n4\ntwo\n10\n3\n')],
    ['of a count that is no number', body1('x\n4\n2\n10\n3\n')],
    ['of a line without end', body1('1'.repeat(1500))],
    ['of a negative count', body1('-2\n4\n2\n10\n3\n')]
  ])('%s', (_, blocks) => {
    const error = failure(() => readArchive(archive(...blocks)))
    expect(error?.code).toBe('TAR_INVALID')
    expect(error?.facts.offset).toBeLessThanOrEqual(1024)
    expect(error?.facts.entry ?? 'in the records').toBeTruthy()
  })

  test('that would go on behind the body', () => {
    const blocks = [...pax(version1, padded('9\n1\n').toString('latin1')), padded('1\n'.repeat(40))]
    const error = failure(() => readArchive(Buffer.concat(blocks)))
    expect(error?.facts.reason).toBe('it does not end')
  })

  test('as soon as a line cannot be a number any more', () => {
    const header = rawHeader({ size: octal(8 ** 11 - 1) })
    const bytes = Buffer.concat([paxHeader(version1), header, Buffer.alloc(1536, '1')])
    expect(failure(() => readArchive(bytes))?.facts.reason).toContain('not numbers')
  })

  test('of more extents than the limit', () => {
    const limits = { sparseExtents: 100 }
    const map = padded([300, ...manyExtents(300)].map((n) => `${n}\n`).join('')).toString('latin1')
    const bytes = archive(paxHeader(version1), rawMember({}, map + 'x'.repeat(300)))
    expect(failure(() => readArchive(bytes, { limits }))?.code).toBe('LIMIT_EXCEEDED')
  })
})
