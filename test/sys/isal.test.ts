import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { IsalDataError, IsalInflater } from '../../src/sys/isal.ts'
import { needs } from '../support/requires.ts'

/** The program comes with the library. */
const isThere = needs('igzip')
const content = Buffer.from('a layer '.repeat(50_000))
const member = gzipSync(content)

describe.skipIf(!isThere)('ISA-L', () => {
  test('says where a member ends and what input is left', () => {
    const inflater = IsalInflater.create()!
    const output = Buffer.alloc(content.length + 1)
    inflater.feed(Buffer.concat([member, Buffer.from('rest')]))
    expect(inflater.inflate(output)).toEqual({ length: content.length, ended: true })
    expect(inflater.rest.toString()).toBe('rest')
    expect(output.subarray(0, -1).equals(content)).toBe(true)
  })

  test('goes on where the output was full, also on another thread', async () => {
    const inflater = IsalInflater.create()!
    const output = Buffer.alloc(100_000)
    inflater.feed(member)
    const lengths: number[] = []
    for (let ended = false; !ended;) {
      const inflated = await inflater.inflateApart(output)
      lengths.push(inflated.length)
      ended = inflated.ended
    }
    expect(lengths).toEqual([100_000, 100_000, 100_000, 100_000])
  })

  test('refuses a wrong checksum', () => {
    const wrong = Buffer.from(member)
    wrong.writeUInt8(wrong.at(-5)! ^ 1, wrong.length - 5)
    const inflater = IsalInflater.create()!
    inflater.feed(wrong)
    expect(() => inflater.inflate(Buffer.alloc(content.length))).toThrow(IsalDataError)
  })
})
