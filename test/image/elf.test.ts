/** The architectures of programs. */
import { expect, test } from 'vitest'
import { elfArchitecture } from '../../src/image/elf.ts'

test.each([
  [62, 2, 1, 'amd64'],
  [3, 1, 1, '386'],
  [40, 1, 1, 'arm'],
  [183, 2, 1, 'arm64'],
  [243, 2, 1, 'riscv64'],
  [258, 2, 1, 'loong64'],
  [22, 2, 2, 's390x'],
  [21, 2, 1, 'ppc64le'],
  [21, 2, 2, 'ppc64'],
  [8, 1, 1, 'mipsle'],
  [8, 1, 2, 'mips'],
  [8, 2, 1, 'mips64le'],
  [9999, 2, 1, undefined],
  [183, 1, 1, undefined]
])('machine %i, class %i, order %i: %s', (machine, bits, order, architecture) => {
  const head = Buffer.from('\x7fELF'.padEnd(20, '\0'), 'latin1')
  head[4] = bits
  head[5] = order
  if (order === 1) head.writeUInt16LE(machine, 18)
  else head.writeUInt16BE(machine, 18)
  expect(elfArchitecture(head)).toBe(architecture)
})

test('anything else has none', () => {
  expect(elfArchitecture(Buffer.from('#!/bin/sh\n'.repeat(3)))).toBeUndefined()
  expect(elfArchitecture(Buffer.from('\x7fELF'))).toBeUndefined()
})
