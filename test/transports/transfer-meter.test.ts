/** What is said about bytes on their way, and how often. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { TransferMeter } from '../../src/transports/transfer-meter.ts'
import type { WriterEvent } from '../../src/transports/transport.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

/** Adds 1000 bytes each 10 ms. */
function flow(meter: TransferMeter, ms: number): void {
  for (let spent = 0; spent < ms; spent += 10) {
    vi.advanceTimersByTime(10)
    meter.add(1000)
  }
}

test('tells ten times a second, and at the end', () => {
  const events: WriterEvent[] = []
  const meter = new TransferMeter(105_000, (event) => events.push(event))
  flow(meter, 1050)
  expect(events).toHaveLength(11)
  const bytesPerSecond = 100_000
  expect(events[0]).toEqual({ type: 'transfer', bytes: 10_000, total: 105_000, bytesPerSecond })
  expect(events.at(-1)).toMatchObject({ bytes: 105_000, bytesPerSecond })
})

test('the rate is that of the last seconds', () => {
  const events: WriterEvent[] = []
  const meter = new TransferMeter(1_000_000, (event) => events.push(event))
  flow(meter, 1000)
  vi.advanceTimersByTime(20_000)
  meter.add(1000)
  flow(meter, 5000)
  expect(events.at(-1)).toMatchObject({ bytesPerSecond: 100_000 })
})

test('what need not be transferred does not count', () => {
  const events: WriterEvent[] = []
  const meter = new TransferMeter(3000, (event) => events.push(event))
  meter.skip(2000)
  meter.add(1000)
  expect(events).toMatchObject([{ bytes: 1000, total: 1000 }])
})
