import * as fc from 'fast-check'
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { bareEntry, type StagedEntry } from '../../src/plan/staged-entry.ts'
import { streamHash } from '../../src/sys/sha256.ts'
import { BodyDigests, hashPieces } from '../../src/worker/body-digests.ts'
import { chunkAround } from '../../src/worker/line-memory.ts'

/** What a file consists of: stored bytes (a number above zero) and holes (below), in bytes. */
type Parts = readonly number[]

const files = fc.array(
  fc.array(
    fc
      .oneof(fc.integer({ min: -70_000, max: 300 }), fc.integer({ min: -2, max: 2 }))
      .filter(Boolean),
    { maxLength: 20 }
  ),
  { maxLength: 20 }
)

describe('digests of files in chunks of a tar', () => {
  test('are right, with holes, however the chunks are cut, and entries keep their order', () => {
    fc.assert(
      fc.property(files, fc.integer({ min: 1, max: 3000 }), (made, chunk) => {
        expect(digests(made, chunk)).toEqual(made.map(expected))
      }),
      { numRuns: 60 }
    )
  })

  test('are right where a file begins with many zeros', () => {
    const mib = 2 ** 20
    const made = [[-mib], [-3 * mib - 5, 4], [7, -2 * mib], [-mib + 1], [-mib, 1, -mib], [-mib]]
    expect(digests(made, 1 << 18)).toEqual(made.map(expected))
  })

  test('are right where a chunk has more pieces than there is room for', () => {
    const sparse = Array.from({ length: 3000 }, (_, at) => (at % 2 === 0 ? 1 : -1))
    const empty = Array.from({ length: 2000 }, () => [])
    const made = [[5], sparse, ...empty, [-3, 3]]
    expect(digests(made, 1 << 18)).toEqual(made.map(expected))
  })
})

/** Feeds the files as a parser does: bytes of chunks, and everything else between them. */
function digests(made: readonly Parts[], chunkBytes: number): (string | undefined)[] {
  const found: StagedEntry[] = []
  const bodies = new BodyDigests({ entry: (entry) => found.push(entry), holes: () => undefined })
  const [body, tar] = [streamHash('sha256'), streamHash('sha256')]
  const chunk = chunkAround(Buffer.alloc(chunkBytes))
  const hash = (pieces: number): void => hashPieces(chunk, pieces, body, tar, () => undefined)
  let at = 0
  const next = (): void => {
    hash(bodies.parse())
    bodies.take(chunk)
    bodies.begin(chunk, hash)
    at = 0
  }
  bodies.begin(chunk, hash)
  for (const [number, parts] of made.entries()) {
    const entry = { ...bareEntry('whiteout', ''), type: 'file', size: sizeOf(parts) } as StagedEntry
    bodies.openFile(entry)
    let position = 0
    for (const part of parts) {
      for (let left = part; left > 0;) {
        if (at === chunkBytes) next()
        const length = Math.min(left, chunkBytes - at)
        chunk.bytes.fill(number % 256, at, at + length)
        bodies.data(at, at + length, position)
        at += length
        position += length
        left -= length
      }
      if (part < 0) position -= part
    }
    bodies.end(entry)
    bodies.end(bareEntry('whiteout', String(number)))
  }
  next()
  expect(found.filter(({ type }) => type === 'whiteout').map(({ path }) => path)).toEqual(
    made.map((_, number) => String(number))
  )
  return found.filter(({ type }) => type === 'file').map(({ sha256 }) => sha256)
}

function expected(parts: Parts, number: number): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(Buffer.alloc(Math.abs(part), part < 0 ? 0 : number % 256))
  return hash.digest().toString('latin1')
}

function sizeOf(parts: Parts): number {
  return parts.reduce((sum, part) => sum + Math.abs(part), 0)
}
