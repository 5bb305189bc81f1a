import * as fc from 'fast-check'
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { STREAM_BYTES, streamHash } from '../../src/sys/sha256.ts'
import type { StreamHash } from '../../src/sys/stream-hash.ts'

const lengths = fc.oneof(fc.nat({ max: 200 }), fc.nat({ max: 70_000 }))

describe('streams of SHA-256', () => {
  test('get the right digests, alone and two at a time, however their bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(lengths, lengths), { maxLength: 8 }), (rounds) => {
        const beside = new Checked('sha256')
        const leader = new Checked('sha256')
        for (const [first, second] of rounds) {
          beside.update(first)
          leader.update(second)
          leader.stream.settle(beside.stream)
          beside.stream.settle()
        }
        leader.expectRight()
        beside.expectRight()
      }),
      { numRuns: 200 }
    )
  })

  test('begin anew after a reset', () => {
    const beside = new Checked('sha256')
    beside.update(5000)
    const leader = streamHash('sha256')
    for (const text of ['one file', 'another']) {
      leader.reset()
      leader.update(Buffer.from(text), 0, text.length)
      expect(leader.digest('hex', beside.stream)).toBe(
        createHash('sha256').update(text).digest('hex')
      )
    }
    beside.expectRight()
  })

  test('can be gone on with by whoever has their memory', () => {
    const memory = new SharedArrayBuffer(STREAM_BYTES)
    const place = { memory, offset: 0 }
    const first = streamHash('sha256', place)
    first.reset()
    const bytes = Buffer.alloc(1000, 'bytes')
    first.update(bytes, 0, 333)
    first.settle()
    const second = streamHash('sha256', place)
    second.update(bytes, 333, 1000)
    expect(second.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'))
  })

  test('may be longer than 4 GiB in bits and bytes', { timeout: 60_000 }, () => {
    const chunk = Buffer.alloc(2 ** 26, 'x')
    const expected = createHash('sha256')
    const stream = streamHash('sha256')
    for (let at = 0; at < 9; at++) {
      expected.update(chunk)
      stream.update(chunk, 0, chunk.length)
    }
    expect(stream.digest('hex')).toBe(expected.digest('hex'))
  })

  test('of SHA-512 are hashed by Node', () => {
    const beside = new Checked('sha512')
    beside.update(100)
    beside.expectRight()
  })
})

class Checked {
  readonly stream: StreamHash
  private readonly algorithm: string
  private readonly given: Buffer[] = []

  constructor(algorithm: 'sha256' | 'sha512') {
    this.algorithm = algorithm
    this.stream = streamHash(algorithm)
  }

  update(length: number): void {
    const bytes = Buffer.alloc(length + 20, `${this.given.length} stream`)
    this.given.push(bytes.subarray(7, 7 + length))
    this.stream.update(bytes, 7, 7 + length)
  }

  expectRight(): void {
    const expected = createHash(this.algorithm).update(Buffer.concat(this.given)).digest()
    expect(this.stream.digest('binary')).toBe(expected.toString('latin1'))
  }
}
