/** Sizes that a header may state, and a number cannot. */
import { describe, expect, test } from 'vitest'
import { describeDisk } from '../../src/disk/describe-disk.ts'

const FORMATS: [string, (size: bigint) => Buffer][] = [
  ['qcow2', (size) => header([0, 'QFI\xfb\0\0\0\x03'], (it) => it.writeBigUInt64BE(size, 24))],
  ['vmdk', (size) => header([0, 'KDMV'], (it) => it.writeBigUInt64LE(size / 512n, 12))],
  ['vhd', (size) => header([0, 'conectix'], (it) => it.writeBigUInt64BE(size, 48))],
  ['vdi', (size) => header([0x40, '\x7f\x10\xda\xbe'], (it) => it.writeBigUInt64LE(size, 0x170))]
]

describe.each(FORMATS)('%s', (format, headOf) => {
  test.each([
    ['the largest in whole sectors', 2n ** 53n - 512n, 2 ** 53 - 512],
    ['one that would be rounded', 2n ** 53n, undefined],
    ['the largest that a header can have', 2n ** 64n - 512n, undefined]
  ])('the virtual size is exact or left out: %s', (_name, size, virtualSize) => {
    const head = headOf(size)
    expect(describeDisk(head, head, head.length)).toEqual({ format, virtualSize })
  })
})

function header([at, magic]: [number, string], fill: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(512)
  bytes.write(magic, at, 'latin1')
  fill(bytes)
  return bytes
}
