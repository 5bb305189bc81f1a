import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BY_NODE, probeDecompressors } from '../../src/codec/choice.ts'
import { HAS_NATIVE_ZSTD } from '../../src/codec/unzstd.ts'

let root: string
let first: string
let second: string

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'choice-test-'))
  first = join(root, 'first')
  second = join(root, 'second')
  mkdirSync(join(first, 'pigz'), { recursive: true })
  mkdirSync(second)
  writeFileSync(join(first, 'igzip'), '', { mode: 0o644 })
  for (const name of ['igzip', 'pigz', 'unpigz', 'zstd', 'other']) {
    writeFileSync(join(second, name), '', { mode: 0o755 })
  }
})

afterAll(() => rmSync(root, { recursive: true }))

const gzipBy = (path: string) => ({ path, args: ['-dc'] })
const zstdBy = (path: string) => ({ path, args: ['-dcq', '-M512M'] })
const absent = (): boolean => false
const present = (): boolean => true
const probeIn = (PATH: string | undefined, request = 'auto') =>
  probeDecompressors(request, { PATH }, absent)
const probe = (request: string) => probeIn(`${first}:${second}`, request)

describe('probeDecompressors', () => {
  test('finds igzip, and zstd where this Node needs it, passing over what cannot be run', () => {
    expect(probe('auto')).toEqual({
      gzip: gzipBy(join(second, 'igzip')),
      zstd: HAS_NATIVE_ZSTD ? undefined : zstdBy(join(second, 'zstd'))
    })
  })

  test('prefers the library to a program, and takes it by name', () => {
    const env = { PATH: second }
    expect(probeDecompressors('auto', env, present).gzip).toBe('isal')
    expect(probeDecompressors('isal', env, present).gzip).toBe('isal')
    expect(probeDecompressors('igzip', env, present).gzip).toEqual(gzipBy(join(second, 'igzip')))
    expect(probeDecompressors('none', env, present)).toEqual(BY_NODE)
  })

  test('finds nothing where there is nothing', () => {
    expect(probeIn(first)).toEqual(BY_NODE)
    expect(probeIn(undefined)).toEqual(BY_NODE)
  })

  test('does not look in relative folders', () => {
    expect(probeIn('.:bin::')).toEqual(BY_NODE)
  })

  test('forbids programs', () => {
    expect(probe('none')).toEqual(BY_NODE)
  })

  test.each(['unpigz', 'pigz', 'igzip'])('takes %s for gzip when it is named', (name) => {
    expect(probe(name).gzip).toEqual(gzipBy(join(second, name)))
  })

  test('takes zstd for zstd when it is named, and leaves gzip as it is', () => {
    expect(probe('zstd').zstd).toEqual(zstdBy(join(second, 'zstd')))
    expect(probe('zstd').gzip).toEqual(gzipBy(join(second, 'igzip')))
  })

  test('takes a path by its name', () => {
    expect(probe(join(second, 'zstd')).zstd).toEqual(zstdBy(join(second, 'zstd')))
    expect(probe(join(second, 'other')).gzip).toEqual(gzipBy(join(second, 'other')))
  })

  test.each(['gzip', 'isal', '/nonexistent/igzip'])('refuses %s, which is not there', (request) => {
    expect(() => probe(request)).toThrow(
      expect.objectContaining({ code: 'DECOMPRESSOR_UNAVAILABLE' })
    )
  })

  test.each(['', 'xz', './igzip', 'toString'])(
    'refuses "%s", which it does not know',
    (request) => {
      expect(() => probe(request)).toThrow(expect.objectContaining({ code: 'USAGE' }))
    }
  )
})
