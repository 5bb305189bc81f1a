import { readFileSync, readdirSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { BY_NODE, probeDecompressors, type DecompressorChoice } from '../../src/codec/choice.ts'
import type { Program } from '../../src/codec/programs.ts'
import type { Compression } from '../../src/image/media-types.ts'
import { decompress } from '../../src/codec/decompress.ts'
import { OciUnpackError } from '../../src/errors.ts'
import { noise } from './gzip-cases.ts'
import { expected, inputOf, outcomeOf, refused, temporaryFile, type TestInput } from './support.ts'

const content = noise(3_000_000)
const blob = gzipSync(content, { level: 1 })

let scripts = 0

function script(text: string): DecompressorChoice {
  const path = temporaryFile(`program-${scripts++}`, `#!/bin/sh\n${text}\n`, 0o755)
  const gzip: Program = { path, args: ['-dc'] }
  return { gzip, zstd: undefined }
}

async function errorOf(
  input: TestInput,
  compression: Compression,
  choice = BY_NODE
): Promise<OciUnpackError> {
  try {
    const chunks = decompress(input, compression, choice)
    while ((await chunks.next()).done !== true);
  } catch (error) {
    if (error instanceof OciUnpackError) return error
    throw error
  }
  throw new Error('no error')
}

function complain(): never {
  throw new OciUnpackError('BLOB_DIGEST_MISMATCH', 'wrong digest')
}

/** Living children of this process. */
function childrenOf(): number {
  const tasks = readdirSync('/proc/self/task')
  const lists = tasks.map((task) => readFileSync(`/proc/self/task/${task}/children`, 'latin1'))
  return lists.join(' ').split(' ').filter(Boolean).length
}

function tarNamed(name: string): Buffer {
  const tar = Buffer.alloc(1024)
  tar.write(name, 'latin1')
  tar.write('ustar', 257)
  return tar
}

describe('an uncompressed layer', () => {
  test.each([
    ['of no bytes', Buffer.alloc(0)],
    ['of some bytes', content],
    ['whose first name looks like gzip', tarNamed('\x1f\x8b\x08')]
  ])('%s passes unchanged', async (_case, bytes) => {
    expect(await outcomeOf(decompress(inputOf(bytes), 'none', BY_NODE))).toEqual(expected(bytes))
  })
})

describe('content that contradicts its media type', () => {
  test.each<[Compression, string, Buffer, RegExp]>([
    ['none', 'gzip', blob, /says not compressed, but its content is gzip\.$/],
    ['none', 'zstd', Buffer.from('28b52ffd2006', 'hex'), /content is zstd\.$/],
    ['gzip', 'zstd', Buffer.from('28b52ffd2006', 'hex'), /says gzip, but its content is zstd\.$/],
    ['gzip', 'tar', tarNamed('a'), /content is an uncompressed tar archive\.$/],
    ['gzip', 'xz', Buffer.from('fd377a585a0000', 'hex'), /content is xz\.$/],
    ['gzip', 'bzip2', Buffer.from('BZh91AY'), /content is bzip2\.$/],
    ['gzip', 'nothing', Buffer.alloc(0), /is empty, which is not gzip\.$/],
    ['gzip', 'text', Buffer.from('hello'), /neither gzip, zstd, xz, bzip2 nor tar\.$/],
    ['zstd', 'gzip', blob, /says zstd, but its content is gzip\.$/],
    ['zstd', 'nothing', Buffer.alloc(0), /is empty, which is not zstd\.$/]
  ])('%s, but really %s, is named', async (compression, _found, bytes, message) => {
    const error = await errorOf(inputOf(bytes), compression)
    expect(error).toMatchObject({ code: 'COMPRESSION_INVALID' })
    expect(error.message).toMatch(message)
    expect(error.hint).toContain('does not match')
  })
})

describe('damage', () => {
  test('is reported with the offset of compressed bytes', async () => {
    const error = await errorOf(inputOf(blob.subarray(0, 1_000_000)), 'gzip')
    expect(error.message).toBe('The gzip data is cut off.')
    expect(error.facts).toEqual({ offset: 1_000_000, reason: 'unexpected end of file' })
  })

  test('after the last member is reported where it begins', async () => {
    const bytes = Buffer.concat([blob, Buffer.alloc(700), Buffer.from('x')])
    const error = await errorOf(inputOf(bytes), 'gzip')
    expect(error.facts).toMatchObject({ offset: blob.length + 700 })
  })

  test('found by the source itself comes out as it is', async () => {
    for (const choice of [BY_NODE, script('exec gzip -dc')]) {
      const input = inputOf(blob)
      const read = () => input.read() ?? complain()
      const chunks = decompress({ ...input, read }, 'gzip', choice)
      expect(await outcomeOf(chunks)).toEqual(refused('BLOB_DIGEST_MISMATCH'))
    }
  })
})

describe('a program', () => {
  test('inflates a layer, which is read to its end for hashing', async () => {
    const input = inputOf(blob)
    const choice = script('exec gzip -dc')
    expect(await outcomeOf(decompress(input, 'gzip', choice))).toEqual(expected(content))
    expect(input.consumed()).toBe(blob.length)
  })

  test('is not asked for small layers, nor where there is no descriptor', async () => {
    const choice = script('exit 1')
    const small = inputOf(gzipSync('small'))
    expect(await outcomeOf(decompress(small, 'gzip', choice))).toEqual(
      expected(Buffer.from('small'))
    )
    const withoutFile = { ...inputOf(blob), fd: undefined }
    expect(await outcomeOf(decompress(withoutFile, 'gzip', choice))).toEqual(expected(content))
  })

  test.each([
    ['fails', 'echo no luck >&2; exit 3', /exit status 3: no luck/],
    ['dies', 'kill -9 $$', /killed by SIGKILL/],
    ['stops early', 'gzip -dc | head -c 1000', /its output differs/],
    ['stops early and says so', 'gzip -dc | head -c 1000; exit 1', /exit status 1/]
  ])('that %s on a good layer is to blame', async (_case, text, reason) => {
    const error = await errorOf(inputOf(blob), 'gzip', script(text))
    expect(error.code).toBe('DECOMPRESSOR_FAILED')
    expect(error.facts.reason).toMatch(reason)
  })

  test('that fails on a bad layer is not to blame', async () => {
    const error = await errorOf(inputOf(blob.subarray(0, -1)), 'gzip', script('exec gzip -dc'))
    expect(error.code).toBe('COMPRESSION_INVALID')
  })

  test('that complains although all is there does no harm', async () => {
    const choice = script('gzip -dc; exit 2')
    expect(await outcomeOf(decompress(inputOf(blob), 'gzip', choice))).toEqual(expected(content))
  })

  test('that is missing is an error', async () => {
    const choice = { gzip: { path: '/nonexistent/igzip', args: [] }, zstd: undefined }
    expect((await errorOf(inputOf(blob), 'gzip', choice)).code).toBe('DECOMPRESSOR_FAILED')
  })

  test('is killed when the consumer leaves', async () => {
    const choice = script('exec gzip -dc')
    for await (const chunk of decompress(inputOf(blob), 'gzip', choice)) {
      expect(chunk.length).toBe(1 << 20)
      expect(childrenOf()).toBe(1)
      break
    }
    expect(childrenOf()).toBe(0)
  })

  test('that hangs is killed by an abort', async () => {
    let asked = 0
    const control = { aborted: () => ++asked > 10 }
    const hanging = decompress(inputOf(blob), 'gzip', script('exec sleep 1000'), control)
    expect(await outcomeOf(hanging)).toEqual(refused('ABORTED'))
    expect(childrenOf()).toBe(0)
  })
})

describe('an abort', () => {
  test.each([
    ['in process', BY_NODE],
    ['by a program', script('exec gzip -dc')],
    ['by the best there is', probeDecompressors('auto', process.env)]
  ])('stops inflating %s between chunks', async (_case, choice) => {
    let aborted = false
    const control = { aborted: () => aborted }
    const chunks = decompress(inputOf(blob), 'gzip', choice, control)
    await chunks.next()
    aborted = true
    await expect(chunks.next()).rejects.toMatchObject({ code: 'ABORTED' })
  })
})
