import fc from 'fast-check'
import { dirname } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import {
  assertCanCompress,
  createCompressor,
  type CompressorOptions
} from '../../src/codec/compress.ts'
import type { Compression } from '../../src/image/media-types.ts'
import { BY_NODE } from '../../src/codec/choice.ts'
import { crc32, tableCrc32 } from '../../src/codec/crc32.ts'
import { decompress } from '../../src/codec/decompress.ts'
import { HAS_NATIVE_ZSTD_COMPRESSOR, zstdByProgram } from '../../src/codec/zstd-compressor.ts'
import { isalCrc32 } from '../../src/sys/isal-crc.ts'
import { noise } from './gzip-cases.ts'
import {
  expected,
  filter,
  inputOf,
  installed,
  outcomeOf,
  sourceOf,
  temporaryFile
} from './support.ts'

const canZstd = HAS_NATIVE_ZSTD_COMPRESSOR || installed('zstd') !== undefined
const compressions: Compression[] = ['none', 'gzip', ...(canZstd ? (['zstd'] as const) : [])]

async function compressed(
  compression: Compression,
  content: Uint8Array,
  options: Partial<CompressorOptions> = {},
  chunkBytes = 1 << 16
): Promise<Buffer> {
  const parts: Buffer[] = []
  const compressor = createCompressor(compression, { threads: 2, ...options }, (part) => {
    parts.push(part)
  })
  const source = sourceOf(content, chunkBytes)
  for (let chunk = source(); chunk !== undefined; chunk = source()) await compressor.write(chunk)
  await compressor.end()
  return Buffer.concat(parts)
}

/** Text, noise and zeros over several blocks. */
const mixed = Buffer.concat([
  noise(1_300_000),
  Buffer.alloc(2_500_000, 'a line of text\n'),
  Buffer.alloc(700_000),
  noise(100_000)
])

describe.each(compressions)('%s', (compression) => {
  test('gives back any bytes, in whatever pieces they are written', async () => {
    const bytes = fc.uint8Array({ maxLength: 5000 })
    const options = fc.record({
      threads: fc.integer({ min: 1, max: 8 }),
      level: fc.integer({ min: 1, max: 9 })
    })
    await fc.assert(
      fc.asyncProperty(
        bytes,
        options,
        fc.integer({ min: 1, max: 3000 }),
        async (content, option, step) => {
          const blob = await compressed(compression, content, option, step)
          const chunks = decompress(inputOf(blob), compression, BY_NODE)
          expect(await outcomeOf(chunks)).toEqual(expected(content))
        }
      ),
      { numRuns: 25 }
    )
  })

  test.each([0, 1, 32_768, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])(
    'gives back %i bytes',
    async (length) => {
      const content = Buffer.concat([mixed, mixed]).subarray(1_000_000, 1_000_000 + length)
      const blob = await compressed(compression, content)
      const chunks = decompress(inputOf(blob), compression, BY_NODE)
      expect(await outcomeOf(chunks)).toEqual(expected(content))
    }
  )

  test('writes the same for any number of threads and any pieces', async () => {
    const first = await compressed(compression, mixed, { threads: 1 })
    for (const threads of [2, 3, 8, 64]) {
      const other = await compressed(compression, mixed, { threads }, threads * 9973)
      expect(other.equals(first)).toBe(true)
    }
  })

  test('passes on what its receiver throws', async () => {
    const full = new Error('disk full')
    let calls = 0
    const fail = () => {
      if (++calls === 2) throw full
    }
    const work = async () => {
      const compressor = createCompressor(compression, { threads: 2 }, fail)
      try {
        for (let round = 0; round < 20; round++) await compressor.write(noise(1_000_000))
        await compressor.end()
      } finally {
        await compressor.stop()
      }
    }
    await expect(work()).rejects.toBe(full)
  })

  test('can be stopped at any time', async () => {
    const compressor = createCompressor(compression, { threads: 2 }, () => undefined)
    await compressor.write(mixed)
    await compressor.stop()
    await compressor.stop()
  })
})

describe('gzip', () => {
  test('gives other memory for the next block as long as this one is in use', async () => {
    const parts: Buffer[] = []
    const compressor = createCompressor('gzip', { threads: 2 }, (part) => void parts.push(part))
    const content = Buffer.concat([mixed, mixed, mixed])
    let memory: Buffer = Buffer.alloc(1 << 20)
    for (let at = 0; at < content.length;) {
      const length = content.copy(memory, 0, at)
      at += length
      const next = await compressor.write(memory.subarray(0, length))
      if (length === 1 << 20) expect(next.buffer).not.toBe(memory.buffer)
      expect(next.length).toBe(length)
      memory = next.fill(0xee)
    }
    await compressor.end()
    expect(gunzipSync(Buffer.concat(parts)).equals(content)).toBe(true)
    expect(Buffer.concat(parts).equals(await compressed('gzip', content))).toBe(true)
  })

  test('is one member with a header that says nothing of time and place', async () => {
    const blob = await compressed('gzip', mixed)
    expect(blob.toString('hex', 0, 10)).toBe('1f8b08000000000000ff')
    expect(gunzipSync(blob).equals(mixed)).toBe(true)
    expect(blob.readUInt32LE(blob.length - 4)).toBe(mixed.length)
  })

  test('looks back over the borders of blocks', async () => {
    const repeated = Buffer.concat(Array<Buffer>(200).fill(noise(30_000)))
    expect((await compressed('gzip', repeated)).length).toBeLessThan(100_000)
  })

  test.each([
    ['gzip', ['-t']],
    ['pigz', ['-t']],
    ['igzip', ['-t']],
    ['bsdtar', ['-tf', '-']]
  ])('is accepted by %s', async (name, args) => {
    const tar = Buffer.concat([mixed, Buffer.alloc(1024)])
    const content = name === 'bsdtar' ? Buffer.alloc(1 << 21) : tar
    const blob = await compressed('gzip', content)
    if (name === 'bsdtar' || installed(name)) expect(() => filter(name, args, blob)).not.toThrow()
  })

  test('takes a level', async () => {
    const text = Buffer.from(Array.from({ length: 90_000 }, (_, n) => `${n * 7919} `).join(''))
    const [fast, small] = await Promise.all(
      [1, 9].map((level) => compressed('gzip', text, { level }))
    )
    expect(small!.length).toBeLessThan(fast!.length)
  })

  test('keeps its memory however much passes', async () => {
    let most = 0
    const compressor = createCompressor('gzip', { threads: 8 }, () => undefined)
    const before = process.memoryUsage.rss()
    for (let round = 0; round < 150; round++) {
      await compressor.write(mixed.subarray(0, 1 << 20))
      most = Math.max(most, process.memoryUsage.rss() - before)
    }
    await compressor.end()
    expect(most).toBeLessThan(96 << 20)
  })
})

describe('crc32', () => {
  test('is the same with and without zlib and ISA-L', () => {
    const isal = isalCrc32()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 99 }), fc.uint8Array({ maxLength: 99 }), (a, b) => {
        const both = crc32(Buffer.concat([a, b]))
        expect(tableCrc32(b, tableCrc32(a))).toBe(both)
        expect(crc32(b, crc32(a))).toBe(both)
        if (isal !== undefined) expect(isal(Buffer.from(b), isal(Buffer.from(a), 0))).toBe(both)
      })
    )
    expect(tableCrc32(Buffer.from('123456789'))).toBe(0xcbf43926)
  })
})

describe('assertCanCompress', () => {
  test('accepts what can be done', () => {
    for (const compression of compressions) assertCanCompress(compression, undefined)
    assertCanCompress('gzip', 9)
  })

  test.each<[Compression, number]>([
    ['gzip', 0],
    ['gzip', 10],
    ['gzip', 1.5],
    ['zstd', 20],
    ['zstd', -1]
  ])('refuses %s level %d', (compression, level) => {
    expect(() => assertCanCompress(compression, level)).toThrow(
      expect.objectContaining({ code: 'USAGE' })
    )
  })

  test.skipIf(HAS_NATIVE_ZSTD_COMPRESSOR)('refuses zstd where nothing can write it', () => {
    const path = process.env.PATH
    process.env.PATH = '/nonexistent'
    try {
      expect(() => assertCanCompress('zstd', undefined)).toThrow(
        expect.objectContaining({ code: 'COMPRESSOR_UNAVAILABLE' })
      )
    } finally {
      process.env.PATH = path
    }
  })
})

test('zstd is written by the program where it is installed, whatever this Node can do', async () => {
  const path = process.env.PATH!
  const folder = dirname(
    temporaryFile('zstd', '#!/bin/sh\ncat >/dev/null; echo by the program\n', 0o755)
  )
  process.env.PATH = `${folder}:${path}`
  try {
    expect((await compressed('zstd', mixed)).toString()).toBe('by the program\n')
  } finally {
    process.env.PATH = path
  }
})

describe('a zstd program', () => {
  test.skipIf(installed('zstd') === undefined)('writes what zstd accepts', async () => {
    const parts: Buffer[] = []
    const compressor = zstdByProgram(installed('zstd')!.path, 3, 2, (part) => parts.push(part))
    await compressor.write(mixed)
    await compressor.end()
    expect(filter('zstd', ['-dcq'], Buffer.concat(parts)).equals(mixed)).toBe(true)
  })

  test.each([
    ['fails', 'echo no room >&2; exit 4', /exit status 4: no room/],
    ['reads some and fails', 'head -c 1000 >/dev/null; exit 4', /exit status 4/],
    ['ends early', 'exit 0', /early/],
    ['dies', 'kill -9 $$', /SIGKILL/]
  ])('that %s is an error', async (name, text, reason) => {
    const path = temporaryFile(`zstd-${name.replaceAll(' ', '-')}`, `#!/bin/sh\n${text}\n`, 0o755)
    await expect(workOf(path)).rejects.toMatchObject({
      code: 'COMPRESSOR_FAILED',
      facts: { reason: expect.stringMatching(reason) as string }
    })
  })

  test('that is missing is an error', async () => {
    await expect(workOf('/nonexistent/zstd')).rejects.toMatchObject({ code: 'COMPRESSOR_FAILED' })
  })
})

async function workOf(path: string): Promise<void> {
  const compressor = zstdByProgram(path, 3, 2, () => undefined)
  try {
    for (let round = 0; round < 5; round++) await compressor.write(mixed)
    await compressor.end()
  } finally {
    await compressor.stop()
  }
}
