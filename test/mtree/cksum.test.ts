import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { Cksum } from '../../src/mtree/cksum.ts'
import { needs } from '../support/requires.ts'

const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))

test.runIf(needs('cksum')).each([
  ['nothing', Buffer.alloc(0)],
  ['a word', Buffer.from('hello')],
  ['every byte', ALL_BYTES],
  ['more bytes than one byte counts', Buffer.alloc(70_000, ALL_BYTES)]
])('is what cksum(1) says of %s', (_name, bytes) => {
  const sum = new Cksum()
  sum.update(bytes.subarray(0, 3))
  sum.update(bytes.subarray(3))
  const said = spawnSync('cksum', { input: bytes, encoding: 'utf8' }).stdout.split(' ')[0]
  expect(sum.digest()).toBe(said)
})
