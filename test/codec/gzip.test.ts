import { closeSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { decompressByProgram } from '../../src/codec/by-program.ts'
import { gunzip } from '../../src/codec/gunzip.ts'
import { gunzipByIsal } from '../../src/codec/gunzip-isal.ts'
import { needs } from '../support/requires.ts'
import { ACCEPTED, REFUSED } from './gzip-cases.ts'
import { expected, inputOf, installed, outcomeOf, refused, sourceOf } from './support.ts'

type Inflate = (blob: Buffer) => AsyncIterable<Buffer>

const inProcess = [1 << 18, 5_003].map((chunkBytes): [string, Inflate] => [
  `node:zlib, ${chunkBytes} bytes at a time`,
  (blob) => gunzip(sourceOf(blob, chunkBytes))
])

/** The program comes with the library. */
const hasIsal = needs('igzip')
const byLibrary = [1 << 18, 5_003, 1].map((chunkBytes): [string, Inflate | undefined] => [
  `ISA-L, ${chunkBytes} bytes at a time`,
  hasIsal ? (blob) => later(gunzipByIsal(sourceOf(blob, chunkBytes))!) : undefined
])

// ISA-L works at once, and the other ways of inflating are asynchronous.
// eslint-disable-next-line @typescript-eslint/require-await
async function* later(chunks: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* chunks
}

const external = ['igzip', 'unpigz', 'pigz', 'gzip'].map((name): [string, Inflate | undefined] => [
  name,
  byProgram(name)
])

function byProgram(name: string): Inflate | undefined {
  const program = installed(name)
  if (program === undefined) return undefined
  return async function* (blob) {
    const input = inputOf(blob)
    try {
      yield* decompressByProgram(
        program,
        'gzip',
        input,
        () => input.read(),
        () => undefined
      )
      expect(input.consumed()).toBe(blob.length)
    } finally {
      closeSync(input.fd)
    }
  }
}

describe.each([...inProcess, ...byLibrary, ...external])('gzip by %s', (_name, inflate) => {
  test.skipIf(inflate === undefined).each(ACCEPTED)('inflates %s', async (_case, blob, content) => {
    expect(await outcomeOf(inflate!(blob))).toEqual(expected(content))
  })

  test.skipIf(inflate === undefined).each(REFUSED)('refuses %s', async (_case, blob) => {
    expect(await outcomeOf(inflate!(blob))).toEqual(refused('COMPRESSION_INVALID'))
  })
})
