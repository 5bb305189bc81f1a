import { readFileSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fetchCached, keepCached } from '../../../src/engine/storage/tree-manifest-cache.ts'
import { makeTemporary, removeTemporary } from '../../support/temporary.ts'

const CACHED = { storage: 'set', policy: 'exact', chainId: `sha256:${'ab'.repeat(32)}` } as const

let work: string
const { XDG_CACHE_HOME } = process.env
beforeEach(() => {
  work = makeTemporary()
  writeFileSync(`${work}/manifest`, '#mtree\n')
})
afterEach(() => {
  process.env['XDG_CACHE_HOME'] = XDG_CACHE_HOME
  removeTemporary(work)
})

describe('a manifest that is kept', () => {
  test('is there for the next unpack', () => {
    process.env['XDG_CACHE_HOME'] = `${work}/cache`
    keepCached(CACHED, 'mtree', `${work}/manifest`)
    expect(fetchCached(CACHED, 'mtree', `${work}/fetched`)).toBe(true)
    expect(readFileSync(`${work}/fetched`, 'utf8')).toBe('#mtree\n')
  })

  test.each(['/proc/none', '/etc/passwd'])('is given up without a word in %s', (home) => {
    process.env['XDG_CACHE_HOME'] = home
    keepCached(CACHED, 'mtree', `${work}/manifest`)
    expect(fetchCached(CACHED, 'mtree', `${work}/fetched`)).toBe(false)
  })
})
