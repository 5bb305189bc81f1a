import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  chainIds,
  digestAlgorithm,
  digestHex,
  digestOf,
  parseDigest
} from '../../src/image/digest.ts'
import type { Digest } from '../../src/image/digest.ts'
import { failure } from './errors.ts'

const EMPTY = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

describe('parseDigest', () => {
  test('takes apart what digestOf made, for both algorithms', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.constantFrom('sha256', 'sha512'), (bytes, algorithm) => {
        const digest = digestOf(bytes, algorithm)
        expect(parseDigest(digest)).toBe(digest)
        expect(digestAlgorithm(digest)).toBe(algorithm)
        expect(`${algorithm}:${digestHex(digest)}`).toBe(digest)
      })
    )
  })

  test.each([
    ['', 'algorithm'],
    ['sha256', 'algorithm'],
    [EMPTY.slice(7), 'algorithm'],
    [`sha384:${'0'.repeat(96)}`, 'algorithm'],
    [`toString:${'0'.repeat(64)}`, 'algorithm'],
    [`SHA256:${'0'.repeat(64)}`, 'algorithm'],
    ['sha256:', '64'],
    [EMPTY.toUpperCase().replace('SHA', 'sha'), '64'],
    [EMPTY.slice(0, -1), '64'],
    [`${EMPTY}0`, '64'],
    [`${EMPTY}\n`, '64'],
    [`sha512:${'0'.repeat(64)}`, '128'],
    [`sha256:../../../${'0'.repeat(55)}`, '64']
  ])('refuses %j', (text, reason) => {
    const error = failure(() => parseDigest(text))
    expect(error.code).toBe('DIGEST_INVALID')
    expect(error.facts).toMatchObject({ found: text })
    expect(error.facts.reason).toContain(reason)
  })

  test('refuses to use a digest of an algorithm that only a document knows', () => {
    const blake3 = `blake3:${'0'.repeat(64)}` as Digest
    expect(failure(() => digestHex(blake3)).code).toBe('DIGEST_INVALID')
  })
})

describe('digestOf', () => {
  test('is the published digest of nothing', () => {
    expect(digestOf(Buffer.alloc(0))).toBe(EMPTY)
  })
})

describe('chainIds', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((text) => digestOf(Buffer.from(text))) as [
    Digest,
    Digest,
    Digest
  ]

  test('of one layer is its diff id', () => {
    expect(chainIds([a])).toEqual([a])
  })

  test('of more layers hashes the chain below and the diff id, with a space between', () => {
    const two = digestOf(Buffer.from(`${a} ${b}`))
    const three = digestOf(Buffer.from(`${two} ${c}`))
    expect(chainIds([a, b, c])).toEqual([a, two, three])
  })
})
