import { describe, expect, test } from 'vitest'
import { streamHash, type StreamPlace } from '../../src/sys/sha256.ts'
import { STREAM_BYTES } from '../../src/sys/sha256.ts'
import { knownZeros, ZERO_STATES } from '../../src/worker/zero-states.ts'

const MIB = 2 ** 20

describe('the known states after zeros', () => {
  test('are found by length', () => {
    const places = [0, MIB - 1, MIB, 2 * MIB - 1, 512 * MIB, 1023 * MIB, 1024 * MIB, 2049 * MIB]
    expect(places.map((count) => (knownZeros(count)?.length ?? 0) / MIB)).toEqual([
      0, 0, 1, 1, 512, 512, 1024, 2048
    ])
    expect(knownZeros(1e15)?.length).toBe((ZERO_STATES.length - 10) * 1024 * MIB)
  })

  test('follow from nothing, and from each other', () => {
    expect(stateAfter(undefined, MIB)).toBe(ZERO_STATES[0])
    for (const at of [0, 1, 5]) expect(stateAfter(at, MIB * 2 ** at)).toBe(ZERO_STATES[at + 1])
  })

  // all of them take a minute, so each run takes only one
  test('follow from each other over whole gibibytes', { timeout: 60_000 }, () => {
    const at = 10 + Math.floor(Math.random() * (ZERO_STATES.length - 11))
    expect(stateAfter(at, 1024 * MIB), `state ${at}`).toBe(ZERO_STATES[at + 1])
  })
})

/** The state after so many more zeros. */
function stateAfter(at: number | undefined, zeros: number): string {
  const place: StreamPlace = { memory: new SharedArrayBuffer(STREAM_BYTES), offset: 0 }
  const hash = streamHash('sha256', place)
  if (at === undefined) hash.reset()
  else expect(hash.resume(2 ** 30, ZERO_STATES[at]!)).toBe(true)
  const run = Buffer.alloc(MIB)
  for (let left = zeros; left > 0; left -= MIB) hash.update(run, 0, MIB)
  hash.settle()
  return Buffer.from(place.memory, 0, 32).toString('hex')
}
