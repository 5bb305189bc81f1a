import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { INFLATER_BYTES, IsalDataError, IsalInflater } from '../../src/sys/isal.ts'
import { needs } from '../support/requires.ts'

/** The program comes with the library. */
const isThere = needs('igzip')
const content = Buffer.from('a layer '.repeat(50_000))
const member = gzipSync(content)

describe.skipIf(!isThere)('ISA-L', () => {
  test('says where a member ends and what input is left', () => {
    const input = Buffer.concat([member, Buffer.from('rest')])
    const inflater = inflaterOf(input)
    const output = Buffer.alloc(content.length + 1)
    expect(inflater.inflate(output, 0)).toEqual({ length: content.length, ended: true })
    expect(input.toString('latin1', inflater.position)).toBe('rest')
    expect(inflater.left).toBe(4)
    expect(output.subarray(0, -1).equals(content)).toBe(true)
  })

  test('goes on where the output was full, also by another that has its memory', () => {
    const memory = { state: Buffer.alloc(INFLATER_BYTES), input: Buffer.from(member) }
    IsalInflater.create(memory)!.begin(0, member.length)
    const output = Buffer.alloc(100_000)
    const lengths: number[] = []
    for (let ended = false; !ended;) {
      const inflated = IsalInflater.create(memory)!.inflate(output, 0)
      lengths.push(inflated.length)
      ended = inflated.ended
    }
    expect(lengths).toEqual([100_000, 100_000, 100_000, 100_000])
  })

  test('writes from a position of the output on', () => {
    const output = Buffer.alloc(content.length + 8, 'x')
    expect(inflaterOf(member).inflate(output, 8).length).toBe(content.length)
    expect(output.toString('latin1', 0, 16)).toBe('xxxxxxxxa layer ')
  })

  test('refuses a wrong checksum', () => {
    const wrong = Buffer.from(member)
    wrong.writeUInt8(wrong.at(-5)! ^ 1, wrong.length - 5)
    expect(() => inflaterOf(wrong).inflate(Buffer.alloc(content.length), 0)).toThrow(IsalDataError)
  })
})

function inflaterOf(input: Buffer): IsalInflater {
  const inflater = IsalInflater.create({ state: Buffer.alloc(INFLATER_BYTES), input })!
  inflater.begin(0, input.length)
  return inflater
}
