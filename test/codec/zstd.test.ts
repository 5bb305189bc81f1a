import { closeSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decompressByProgram } from '../../src/codec/by-program.ts'
import { unzstd, unzstdInJavaScript, HAS_NATIVE_ZSTD } from '../../src/codec/unzstd.ts'
import { frames } from '../../src/codec/zstd-frames.ts'
import { noise } from './gzip-cases.ts'
import { expected, filter, inputOf, installed, outcomeOf, refused, sourceOf } from './support.ts'
import { ACCEPTED, LARGE, LARGE_CONTENT, REFUSED, skippable } from './zstd-cases.ts'

type Decode = (blob: Buffer) => AsyncIterable<Buffer>

const program = installed('zstd')

const decoders: [string, Decode | undefined][] = [
  ['JavaScript', (blob) => unzstdInJavaScript(sourceOf(blob))],
  ['JavaScript, 1 byte at a time', (blob) => unzstdInJavaScript(sourceOf(blob, 1))],
  ['node:zlib', HAS_NATIVE_ZSTD ? (blob) => unzstd(sourceOf(blob)) : undefined],
  [
    'node:zlib, 999 bytes at a time',
    HAS_NATIVE_ZSTD ? (blob) => unzstd(sourceOf(blob, 999)) : undefined
  ],
  ['the zstd program', program && byProgram]
]

async function* byProgram(blob: Buffer): AsyncGenerator<Buffer> {
  const input = inputOf(blob)
  try {
    yield* decompressByProgram(
      program!,
      'zstd',
      input,
      () => input.read(),
      () => undefined
    )
    expect(input.consumed()).toBe(blob.length)
  } finally {
    closeSync(input.fd)
  }
}

test.each(LARGE)(
  'windows over 128 MiB are for node:zlib and the zstd program: %#',
  async (blob) => {
    const error = await outcomeOf(unzstdInJavaScript(sourceOf(blob)))
    expect(error).toEqual(refused('COMPRESSION_INVALID'))
    if (HAS_NATIVE_ZSTD)
      expect(await outcomeOf(unzstd(sourceOf(blob)))).toEqual(expected(LARGE_CONTENT))
    if (program !== undefined)
      expect(await outcomeOf(byProgram(blob))).toEqual(expected(LARGE_CONTENT))
  }
)

describe.each(decoders)('zstd by %s', (_name, decode) => {
  test.skipIf(decode === undefined).each(ACCEPTED)('decodes %s', async (_case, blob, content) => {
    expect(await outcomeOf(decode!(blob))).toEqual(expected(content))
  })

  test.skipIf(decode === undefined).each(REFUSED)('refuses %s', async (_case, blob) => {
    expect(await outcomeOf(decode!(blob))).toEqual(refused('COMPRESSION_INVALID'))
  })

  const compressed = ['-1', '-3', '-19', '--no-check', '--long=27', '--no-content-size']
  test.skipIf(decode === undefined || program === undefined).each(compressed)(
    'decodes what zstd %s writes',
    async (option) => {
      const content = Buffer.concat([Buffer.alloc(400_000, 'some text, '), noise(50_000)])
      const blob = filter('zstd', ['-cq', option], content)
      expect(await outcomeOf(decode!(blob))).toEqual(expected(content))
    }
  )

  test.skipIf(decode === undefined || program === undefined)('refuses damaged blocks', async () => {
    const blob = filter('zstd', ['-cq'], Buffer.alloc(400_000, 'some text, '))
    blob.fill(0xff, blob.length >> 1, blob.length - 4)
    expect(await outcomeOf(decode!(blob))).toEqual(refused('COMPRESSION_INVALID'))
  })
})

test('hands out bombs in small pieces', async () => {
  const bomb = filter('zstd', ['-cq'], Buffer.alloc(1 << 26))
  let largest = 0
  for await (const chunk of unzstdInJavaScript(sourceOf(bomb, bomb.length))) {
    largest = Math.max(largest, chunk.length)
  }
  expect(largest).toBeLessThanOrEqual(1 << 20)
})

describe('frames', () => {
  const whole = ACCEPTED.filter(([name]) => !name.includes('skippable')).map(([, blob]) => blob)

  test('gives every byte but those of skippable frames, wherever chunks end', () => {
    const blobs = fc.array(fc.constantFrom(...whole), { minLength: 1, maxLength: 5 })
    const step = fc.integer({ min: 1, max: 300 })
    fc.assert(
      fc.property(blobs, step, fc.constantFrom('frames', 'blocks'), (parts, bytes, cutAt) => {
        const gap = skippable(noise(bytes))
        const source = sourceOf(Buffer.concat(parts.flatMap((part) => [gap, part])), bytes)
        const pieces = Array.from(frames(source, cutAt), (piece) => Buffer.from(piece.bytes))
        expect(Buffer.concat(pieces).equals(Buffer.concat(parts))).toBe(true)
      }),
      { numRuns: 60 }
    )
  })
})
