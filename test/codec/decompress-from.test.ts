/** Decompression that begins wherever the search for restarts says that it can. */
import { createHash } from 'node:crypto'
import { constants, createGzip, deflateRawSync, gzipSync, inflateRawSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { decompressFrom, inflateAtOnce } from '../../src/codec/decompress-from.ts'
import { emptyBlocks } from '../../src/codec/empty-blocks.ts'
import { gunzipWithRestarts, type Restart } from '../../src/codec/gunzip-blocks.ts'
import { IsalInflater } from '../../src/sys/isal.ts'
import { noise } from '../support/noise.ts'

describe('empty blocks', () => {
  test.each([0, 1, 2, 3, 4, 5, 6, 7])('end at bit %i of a byte, and mean nothing', (bits) => {
    const data = bitsOf(deflateRawSync('what follows')).join('')
    const before = bitsOf(emptyBlocks(bits)).join('')
    const used = bits === 0 ? before.length : before.length - 8 + bits
    expect(before.slice(used)).toBe('0'.repeat(before.length - used))
    expect(inflateRawSync(bytesOf(before.slice(0, used) + data)).toString()).toBe('what follows')
  })
})

const content = mixed(3_000_000)
const HAS_ISAL = IsalInflater.isThere()

describe('inflating from each restart on', () => {
  test.each<[string, Buffer]>([
    ['blocks with codes of their own', gzipSync(content)],
    ['stored blocks, whose data begins at a byte', gzipSync(content, { level: 0 })],
    ['fixed codes', gzipSync(content, { strategy: constants.Z_FIXED })],
    ['runs only', gzipSync(content, { strategy: constants.Z_RLE })],
    [
      'members of all lengths, and padding',
      Buffer.concat([
        gzipSync(content.subarray(0, 1)),
        gzipSync(content.subarray(1, 700_001)),
        gzipSync(''),
        gzipSync(content.subarray(700_001, 700_100), { level: 0 }),
        gzipSync(content.subarray(700_100)),
        Buffer.alloc(600)
      ])
    ]
  ])('%s', async (_name, blob) => {
    const { restarts, whole } = restartsIn(blob, 50_000)
    expect(sha256(whole)).toBe(sha256(content))
    expect(restarts.length).toBeGreaterThan(10)
    for (const [at, restart] of restarts) {
      const rest = await inflatedFrom(blob, restart)
      expect(`${at} ${sha256(rest)}`).toBe(`${at} ${sha256(content.subarray(at))}`)
    }
  })

  test('blocks that are flushed anywhere, so that they begin at every bit', async () => {
    const blob = await flushedEverywhere(content.subarray(0, 400_000))
    const { restarts } = restartsIn(blob, 1)
    expect(new Set(restarts.map(([, { bits }]) => bits % 8)).size).toBe(8)
    for (const [at, restart] of restarts.filter((_, index) => index % 7 === 0)) {
      const rest = await inflatedFrom(blob, restart)
      expect(rest.equals(content.subarray(at, 400_000))).toBe(true)
    }
  })

  test('the beginning is a restart, also where no others are known', async () => {
    const blob = Buffer.concat([gzipSync(content.subarray(0, 9)), gzipSync(content.subarray(9))])
    const whole = await inflatedFrom(blob, { bits: 0, window: Buffer.alloc(0) })
    expect(sha256(whole)).toBe(sha256(content))
  })

  test('a wrong window makes other bytes, and is not noticed here', async () => {
    const blob = gzipSync(content)
    const [, [at, { bits, window }]] = restartsIn(blob, 200_000).restarts as [unknown, Found]
    const wrong = Buffer.from(window.map((byte) => byte ^ 1))
    const rest = await inflatedFrom(blob, { bits, window: wrong })
    expect(rest.length).toBe(content.length - at)
    expect(rest.equals(content.subarray(at))).toBe(false)
  })
})

describe.skipIf(!HAS_ISAL)('inflating a part at once', () => {
  const blob = gzipSync(content, { level: 3 })
  const { restarts } = restartsIn(blob, 150_000)
  const parts = restarts.slice(1).map(([at, restart], index) => {
    const [end, next] = restarts[index + 2] ?? [content.length, undefined]
    const to = next === undefined ? blob.length : Math.ceil(next.bits / 8)
    return { at, restart, length: end - at, to }
  })

  async function partOf(
    { restart, length, to }: (typeof parts)[number],
    bytes: Buffer = blob
  ): Promise<Buffer | undefined> {
    const output = Buffer.alloc(length)
    const from = async function* (position: number): AsyncGenerator<Buffer> {
      for (let at = position; at < to; at += 30_001)
        yield await Promise.resolve(Buffer.from(bytes.subarray(at, Math.min(to, at + 30_001))))
    }
    return (await inflateAtOnce(restart, from, output)) ? output : undefined
  }

  test('gives it, several in turn and at once', async () => {
    expect(new Set(parts.map(({ restart }) => restart.bits % 8)).size).toBeGreaterThan(3)
    const found = await Promise.all(parts.map((part) => partOf(part)))
    for (const [index, { at, length }] of parts.entries())
      expect(found[index]?.equals(content.subarray(at, at + length))).toBe(true)
  })

  test('not past the end of the member, and not without all of the data', async () => {
    const last = parts.at(-1)!
    expect(await partOf({ ...last, length: last.length + 1 })).toBeUndefined()
    expect(await partOf({ ...last, to: last.to - 3000 })).toBeUndefined()
    expect(await partOf({ ...last, length: 0 })).toBeUndefined()
  })

  test('whatever is damaged, it gives that many bytes or none, and goes on to work', async () => {
    const random = noise(40_000)
    let none = 0
    for (let round = 0; round < 300; round++) {
      const part = parts[round % parts.length]!
      const number = (at: number): number => random.readUInt32LE(16 * round + at)
      const bytes = Buffer.from(blob)
      const first = Math.floor(part.restart.bits / 8)
      for (let flips = 0; flips <= round % 3; flips++)
        bytes[first + (number(4 * flips) % (part.to - first))] = (number(12) >>> 3) & 0xff
      const window = round % 2 === 0 ? part.restart.window : noise(2 * (number(12) % 16_385))
      const bits = part.restart.bits + (round % 5 === 0 ? 1 : 0)
      const found = await partOf({ ...part, restart: { bits, window } }, bytes)
      if (found === undefined) none += 1
    }
    expect(none).toBeGreaterThan(10)
    const [part] = parts
    expect((await partOf(part!))?.equals(content.subarray(part!.at, part!.at + part!.length))).toBe(
      true
    )
  })
})

type Found = [at: number, restart: Restart]

function restartsIn(blob: Buffer, every: number): { restarts: Found[]; whole: Buffer } {
  const restarts: Found[] = []
  const chunks: Buffer[] = []
  let position = 0
  let last = -Infinity
  const pieces = [blob.subarray(0, 5), blob.subarray(5, 100_000), blob.subarray(100_000)]
  const found = gunzipWithRestarts(() => pieces.shift(), {
    wants: (bytes) => position + bytes - last >= every,
    restart(at) {
      restarts.push([position, { ...at, window: Buffer.from(at.window) }])
      last = position
    }
  })
  for (const chunk of found!) {
    chunks.push(Buffer.from(chunk))
    position += chunk.length
  }
  return { restarts, whole: Buffer.concat(chunks) }
}

async function inflatedFrom(blob: Buffer, restart: Restart): Promise<Buffer> {
  const from = async function* (position: number): AsyncGenerator<Buffer> {
    for (let at = position; at < blob.length; at += 65_537)
      yield await Promise.resolve(Buffer.from(blob.subarray(at, at + 65_537)))
  }
  const chunks: Buffer[] = []
  for await (const chunk of decompressFrom('gzip', restart, from)) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

/** Z_PARTIAL_FLUSH ends a block without going to the border of a byte. */
async function flushedEverywhere(bytes: Buffer): Promise<Buffer> {
  const gzip = createGzip()
  const parts: Buffer[] = []
  gzip.on('data', (part: Buffer) => parts.push(part))
  for (let at = 0; at < bytes.length; at += 1999) {
    gzip.write(bytes.subarray(at, at + 1999))
    await new Promise<void>((resolve) => gzip.flush(constants.Z_PARTIAL_FLUSH, resolve))
  }
  gzip.end()
  await new Promise((resolve) => gzip.on('end', resolve))
  return Buffer.concat(parts)
}

/** Text, noise and zeros in turn. */
function mixed(length: number): Buffer {
  const parts: Buffer[] = []
  let seed = Buffer.from('seed')
  for (let size = 0; size < length;) {
    seed = createHash('sha256').update(seed).digest()
    const kind = seed[0]! % 3
    const part =
      kind === 0
        ? Buffer.alloc(seed.readUInt16LE(1))
        : kind === 1
          ? Buffer.from(`line ${seed[1]!} of a text\n`.repeat(seed.readUInt16LE(2) % 2000))
          : Buffer.concat(Array.from({ length: 500 }, (_, at) => sha(seed, at)))
    parts.push(part)
    size += part.length
  }
  return Buffer.concat(parts).subarray(0, length)
}

function sha(seed: Buffer, at: number): Buffer {
  return createHash('sha256').update(seed).update(String(at)).digest()
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function bitsOf(bytes: Buffer): string[] {
  return [...bytes].map((byte) => Array.from({ length: 8 }, (_, at) => (byte >>> at) & 1).join(''))
}

function bytesOf(bits: string): Buffer {
  const bytes = Buffer.alloc(Math.ceil(bits.length / 8))
  for (let at = 0; at < bits.length; at++) if (bits[at] === '1') bytes[at >>> 3]! |= 1 << (at & 7)
  return bytes
}
