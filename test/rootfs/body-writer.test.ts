import * as fc from 'fast-check'
import * as fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { BodyWriter } from '../../src/rootfs/body-writer.ts'
import { close, createFile } from '../../src/sys/files.ts'
import { withScratch } from '../support/open-directory.ts'

const HOLE = 65_536

/** Bytes at a position of a body; what is left out is a hole. */
interface Piece {
  position: number
  bytes: Buffer
}

interface Written {
  content: Buffer
  /** Bytes that take room on disk. */
  room: number
}

describe('a body', () => {
  test('is written the same however it is cut', () => {
    fc.assert(
      fc.property(body, fc.array(fc.nat({ max: 4 * HOLE }), { maxLength: 8 }), (content, cuts) => {
        const written = write(pieces(content, cuts), content.length)
        expect(written.content.equals(content)).toBe(true)
      }),
      { numRuns: 60 }
    )
  })

  test('may come with gaps, as a sparse archive gives it', () => {
    const data = Buffer.from('data')
    const size = 3 * HOLE + 10
    const expected = Buffer.alloc(size)
    expected.set(data, 5)
    expected.set(data, 2 * HOLE - 2)
    const written = write(
      [
        { position: 5, bytes: data },
        { position: 2 * HOLE - 2, bytes: data }
      ],
      size
    )
    expect(written.content.equals(expected)).toBe(true)
    expect(written.room).toBeLessThan(size)
  })

  test('that is one hole has its size and no room', () => {
    const written = write([], 5 * HOLE + 1)
    expect(written.content.equals(Buffer.alloc(5 * HOLE + 1))).toBe(true)
    expect(written.room).toBe(0)
  })

  test('knows nothing of the body before it', () => {
    withScratch((fd, path) => {
      const writer = new BodyWriter()
      for (const [text, ...cuts] of [['first, and longer'], ['second', 3], ['third']] as const) {
        const file = createFile(fd, text, 0o600)
        writer.begin(file, text.length)
        for (const { position, bytes } of pieces(Buffer.from(text), cuts))
          writer.write(bytes, 0, bytes.length, position)
        writer.finish()
        close(file)
        expect(fs.readFileSync(`${path}/${text}`, 'latin1')).toBe(text)
      }
    })
  })
})

describe('zeros', () => {
  test('of 64 KiB or more take no room', () => {
    const content = Buffer.concat([Buffer.from('a'), Buffer.alloc(10 * HOLE), Buffer.from('z')])
    const written = write(pieces(content, [HOLE + 7, 5 * HOLE]), content.length)
    expect(written.content.equals(content)).toBe(true)
    expect(written.room).toBeLessThan(5 * HOLE)
  })

  test('at the end take none either', () => {
    const content = Buffer.concat([Buffer.from('a'), Buffer.alloc(20 * HOLE)])
    expect(write(pieces(content, []), content.length).room).toBeLessThan(2 * HOLE + 1)
  })

  test.each([
    ['small', 1000],
    ['as large as blocks, and never at their borders', HOLE],
    ['as large as chunks of layers', 4 * HOLE]
  ])('take no room when the pieces are %s', (_, length) => {
    const content = Buffer.concat([
      Buffer.alloc(20 * HOLE),
      Buffer.from('a'),
      Buffer.alloc(20 * HOLE)
    ])
    const cuts = Array.from({ length: content.length / length }, (_, at) => 500 + at * length)
    const written = write(pieces(content, cuts), content.length)
    expect(written.content.equals(content)).toBe(true)
    expect(written.room).toBe(HOLE)
  })

  test('of less are written', () => {
    const content = Buffer.concat([Buffer.from('a'), Buffer.alloc(HOLE - 2), Buffer.from('z')])
    expect(write(pieces(content, []), content.length).room).toBeGreaterThanOrEqual(HOLE)
    const late = Buffer.concat([Buffer.alloc(HOLE - 1), Buffer.from('z'), Buffer.alloc(HOLE - 1)])
    const cuts = [1000, HOLE - 1000, HOLE + 1000]
    expect(write(pieces(late, cuts), late.length).room).toBe(2 * HOLE)
  })
})

const body = fc
  .array(
    fc.oneof(
      fc.nat({ max: 2 * HOLE }).map((length) => Buffer.alloc(length)),
      fc.nat({ max: HOLE + 10 }).map((length) => Buffer.alloc(length, 7))
    ),
    { maxLength: 5 }
  )
  .map((parts) => Buffer.concat(parts))

/** Pieces that lie side by side, in memory of their own and not at its start. */
function pieces(content: Buffer, cuts: readonly number[]): Piece[] {
  const edges = [0, ...cuts.filter((cut) => cut < content.length), content.length]
  return [...new Set(edges)]
    .sort((a, b) => a - b)
    .slice(0, -1)
    .map((position, index, starts) => ({
      position,
      bytes: content.subarray(position, starts[index + 1] ?? content.length)
    }))
}

function write(parts: readonly Piece[], size: number): Written {
  return withScratch((fd, path) => {
    const file = createFile(fd, 'body', 0o600)
    const writer = new BodyWriter()
    writer.begin(file, size)
    for (const { position, bytes } of parts) {
      const chunk = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')])
      writer.write(chunk, 6, 6 + bytes.length, position)
    }
    writer.finish()
    close(file)
    const room = fs.statSync(`${path}/body`).blocks * 512
    return { content: fs.readFileSync(`${path}/body`), room }
  })
}
