/** Files that are hashed two at a time get the digests that they have alone. */
import { createHash } from 'node:crypto'
import { appendFileSync, readdirSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { FileHasher } from '../../src/rootfs/hash-file.ts'
import { failure } from '../support/failure.ts'
import { withScratch } from '../support/open-directory.ts'

const PIECE = 1 << 18
const SIZES = [0, 1, 63, 64, 65, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7, 5, 0]

function content(size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, i) => (i * 31 + size) % 251))
}

function hashAll(directory: number, names: readonly string[], check = () => undefined): string[] {
  const hasher = new FileHasher(directory)
  try {
    return hasher.hashAll(names, check)
  } finally {
    hasher.release()
  }
}

function openFiles(): number {
  return readdirSync('/proc/self/fd').length
}

test.each([
  ['none', []],
  ['one', [PIECE + 1]],
  ['two of a size', [PIECE, PIECE]],
  ['a long one and short ones', [5 * PIECE, 1, 0, 64, PIECE, 2]],
  ['all kinds', SIZES],
  ['all kinds, from the last', SIZES.toReversed()]
])('%s', (_name, sizes) => {
  withScratch((directory, path) => {
    const names = sizes.map((size, i) => {
      writeFileSync(`${path}/${i}`, content(size))
      return String(i)
    })
    const expected = sizes.map((size) => createHash('sha256').update(content(size)).digest('hex'))
    expect(hashAll(directory, names)).toEqual(expected)
  })
})

test('a failure leaves no file open and names the file', () => {
  withScratch((directory, path) => {
    for (const name of ['a', 'b', 'c']) writeFileSync(`${path}/${name}`, content(4 * PIECE))
    const before = openFiles()
    expect(failure(() => hashAll(directory, ['a', 'missing', 'b']))).toMatchObject({
      code: 'SYSCALL_FAILED',
      facts: { entry: 'missing' }
    })
    let checks = 0
    const stop = (): undefined => {
      checks += 1
      if (checks === 2) throw new Error('stopped')
    }
    expect(() => hashAll(directory, ['a', 'b', 'c'], stop)).toThrow('stopped')
    expect(openFiles()).toBe(before)
  })
})

test('a file that grows meanwhile is noticed', () => {
  withScratch((directory, path) => {
    for (const name of ['a', 'b']) writeFileSync(`${path}/${name}`, content(4 * PIECE))
    let checks = 0
    const grow = (): undefined => {
      checks += 1
      if (checks === 2) appendFileSync(`${path}/b`, 'more')
    }
    expect(failure(() => hashAll(directory, ['a', 'b'], grow))).toMatchObject({
      code: 'FILE_CHANGED',
      facts: { entry: 'b' }
    })
  })
})
