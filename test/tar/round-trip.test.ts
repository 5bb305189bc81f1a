import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareBytes } from '../../src/bytes.ts'
import type { TarEntry, Timespec } from '../../src/tar/entry.ts'
import type { Extents } from '../../src/tar/sparse.ts'
import { archive, member, readArchive } from '../support/archive.ts'
import { anyEntry } from '../support/arbitrary-entry.ts'

interface Written {
  fields: TarEntry
  body: Buffer
}

const written: fc.Arbitrary<Written> = fc
  .tuple(anyEntry, fc.uint8Array({ maxLength: 1500 }))
  .map(([fields, bytes]) => {
    const body = Buffer.from(fields.type === 'file' ? bytes : [])
    return { fields: { ...fields, size: body.length }, body }
  })

const cuts = fc.array(fc.nat({ max: 9000 }), { maxLength: 8 }).map((at) => at.sort((a, b) => a - b))

/** What comes back: records are sorted, and the offset is where the member stands. */
function expected({ fields, body }: Written, offset: number, mtime: Timespec): object {
  const xattrs = [...fields.xattrs].sort(([a], [b]) => compareBytes(a, b))
  return { entry: { ...fields, mtime, xattrs, offset }, body, delivered: body.length }
}

test('what is written in nanoseconds is read again, wherever the chunks are cut', () => {
  fc.assert(
    fc.property(fc.array(written, { maxLength: 4 }), cuts, (all, cuts) => {
      const members = all.map(({ fields, body }) =>
        member(fields, body, { precision: 'nanoseconds' })
      )
      let offset = 0
      const wanted = all.map((one, i) => {
        const start = offset
        offset += members[i]!.length
        return expected(one, start, one.fields.mtime)
      })
      expect(readArchive(archive(...members), { cuts })).toEqual(wanted)
    })
  )
})

test('what is written in seconds is read again with its time floored', () => {
  fc.assert(
    fc.property(written, (one) => {
      const floored = { sec: one.fields.mtime.sec, nsec: 0 }
      const read = readArchive(archive(member(one.fields, one.body)))
      expect(read).toEqual([expected(one, 0, floored)])
    })
  )
})

test('an archive reads the same in chunks of one byte', () => {
  fc.assert(
    fc.property(fc.array(written, { maxLength: 3 }), (all) => {
      const bytes = archive(...all.map(({ fields, body }) => member(fields, body)))
      const everywhere = Array.from(bytes.keys())
      expect(readArchive(bytes, { cuts: everywhere })).toEqual(readArchive(bytes))
    }),
    { numRuns: 20 }
  )
})

const steps = fc.array(fc.tuple(fc.nat({ max: 2000 }), fc.nat({ max: 2000 })), { maxLength: 80 })

test('a sparse file comes back with its holes, wherever the chunks are cut', () => {
  fc.assert(
    fc.property(steps, fc.nat({ max: 3000 }), cuts, (steps, tail, cuts) => {
      const { extents, size, body, stored } = sparseFile(steps, tail)
      const bytes = archive(member({ name: 'd/s', size }, stored, { sparse: extents }))
      const [read] = readArchive(bytes, { cuts })
      expect(read?.entry).toMatchObject({ type: 'file', name: 'd/s', size, offset: 0 })
      expect(read?.delivered).toBe(stored.length)
      expect(read?.body.equals(body)).toBe(true)
    })
  )
})

function sparseFile(
  steps: readonly (readonly [hole: number, data: number])[],
  tail: number
): { extents: Extents; size: number; body: Buffer; stored: Buffer } {
  const extents: number[] = []
  const parts: Buffer[] = []
  const stored: Buffer[] = []
  let at = 0
  for (const [hole, length] of steps) {
    const data = Buffer.alloc(length, `${at}|`)
    extents.push(at + hole, length)
    parts.push(Buffer.alloc(hole), data)
    stored.push(data)
    at += hole + length
  }
  const body = Buffer.concat([...parts, Buffer.alloc(tail)])
  return { extents, size: body.length, body, stored: Buffer.concat(stored) }
}
