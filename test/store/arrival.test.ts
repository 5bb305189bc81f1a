import * as fc from 'fast-check'
import { randomBytes } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test } from 'vitest'
import { OciUnpackError } from '../../src/errors.ts'
import { failArrival, newArrival, stopArrival } from '../../src/store/arrival-memory.ts'
import { ArrivalReader } from '../../src/store/arrival-reader.ts'
import { ArrivalSender, Superseded } from '../../src/store/arrival-sender.ts'

const workers: Worker[] = []
afterEach(() => Promise.all(workers.splice(0).map((worker) => worker.terminate())))

describe('a blob that arrives while it is read', () => {
  test('is whole, however its bytes are cut on the way', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 200_000 }),
        fc.integer({ min: 1, max: 90_000 }),
        fc.integer({ min: 1, max: 90_000 }),
        async (size, sent, asked) => {
          const content = randomBytes(size)
          const memory = newArrival(Math.min(size, 70_000))
          const [got] = await Promise.all([
            readAll(new ArrivalReader(memory), asked),
            deliver(new ArrivalSender(memory), content, sent)
          ])
          expect(got.equals(content)).toBe(true)
        }
      ),
      { numRuns: 40 }
    )
  })

  test('can be looked at before it is read, and read again from any position', async () => {
    const content = randomBytes(3 << 20)
    const memory = newArrival(content.length)
    const sender = new ArrivalSender(memory)
    void serve(sender, content)
    const reader = new ArrivalReader(memory)
    const head = Buffer.alloc(512)
    await reader.arrived(512, 0)
    expect(reader.read(head, 512, 0)).toBe(512)
    expect(head.equals(content.subarray(0, 512))).toBe(true)
    for (const from of [0, 2_000_000, 5, 0, content.length])
      expect((await readAll(reader, 65_536, from)).equals(content.subarray(from))).toBe(true)
  })

  test('brings what was thrown in the other thread, after the bytes that came before', async () => {
    const memory = newArrival(100)
    const sender = new ArrivalSender(memory)
    const reader = new ArrivalReader(memory)
    const arrived = reader.arrived(50, 0)
    const delivery = (await sender.asked())!
    await sender.send(delivery, Buffer.from('some'))
    sender.fail(delivery, new OciUnpackError('BLOB_NOT_FOUND', 'It is gone.', { hint: 'Look.' }))
    await arrived
    const buffer = Buffer.alloc(50)
    expect(reader.read(buffer, 50, 0)).toBe(4)
    const again = (): unknown => reader.read(buffer, 50, 4)
    for (const read of [again, again])
      expect(read).toThrow(expect.objectContaining({ code: 'BLOB_NOT_FOUND', hint: 'Look.' }))
  })

  test.each<[string, (memory: SharedArrayBuffer) => void, string]>([
    ['was stopped', stopArrival, 'ABORTED'],
    [
      'has died',
      (memory) => failArrival(memory, new OciUnpackError('WORKER_DIED', 'It is gone.')),
      'WORKER_DIED'
    ]
  ])('is an error for whoever reads when the delivery %s', async (_, end, code) => {
    const memory = newArrival(100)
    const [sender, reader] = [new ArrivalSender(memory), new ArrivalReader(memory)]
    const arrived = reader.arrived(50, 0)
    const delivery = (await sender.asked())!
    await sender.send(delivery, Buffer.from('some'))
    end(memory)
    await arrived
    const now = (): unknown => reader.read(Buffer.alloc(50), 50, 0)
    const later = (): unknown => new ArrivalReader(memory).read(Buffer.alloc(1), 1, 20)
    for (const read of [now, later]) expect(read).toThrow(expect.objectContaining({ code }))
    await expect(sender.send(delivery, Buffer.from('more'))).rejects.toThrow(Superseded)
    expect(await sender.asked()).toBeUndefined()
  })

  test('is not whole because its delivery ends after a stop', async () => {
    const memory = newArrival(100)
    const [sender, reader] = [new ArrivalSender(memory), new ArrivalReader(memory)]
    const arrived = reader.arrived(50, 0)
    const delivery = (await sender.asked())!
    stopArrival(memory)
    await arrived
    sender.complete(delivery)
    expect(() => reader.read(Buffer.alloc(50), 50, 0)).toThrow(
      expect.objectContaining({ code: 'ABORTED' })
    )
  })

  test('makes a reader in another thread wait until bytes are there', async () => {
    const content = randomBytes(5 << 20)
    const memory = newArrival(content.length)
    void serve(new ArrivalSender(memory), content)
    const worker = new Worker(THREAD, { eval: true, workerData: { memory, module: MODULE } })
    workers.push(worker)
    const got = await new Promise((resolve, reject) =>
      worker.on('message', resolve).on('error', reject)
    )
    expect(Buffer.from(got as Uint8Array).equals(content)).toBe(true)
  })
})

const MODULE = new URL('../../build/store/arrival-reader.js', import.meta.url).href
const THREAD = `
  const { parentPort, workerData } = require('node:worker_threads')
  void import(workerData.module).then(({ ArrivalReader }) => {
    const reader = new ArrivalReader(workerData.memory)
    const parts = []
    const buffer = Buffer.alloc(100_000)
    for (let at = 0, length; (length = reader.read(buffer, buffer.length, at)) > 0; at += length)
      parts.push(Buffer.from(buffer.subarray(0, length)))
    parentPort.postMessage(Buffer.concat(parts))
  })`

/** Reads as a thread that cannot wait. */
async function readAll(reader: ArrivalReader, asked: number, from = 0): Promise<Buffer> {
  const parts: Buffer[] = []
  const buffer = Buffer.alloc(asked)
  for (let at = from; ;) {
    await reader.arrived(asked, at)
    const length = reader.read(buffer, asked, at)
    if (length === 0) return Buffer.concat(parts)
    parts.push(Buffer.from(buffer.subarray(0, length)))
    at += length
  }
}

/** One delivery. */
async function deliver(sender: ArrivalSender, content: Buffer, piece: number): Promise<void> {
  const delivery = (await sender.asked())!
  for (let at = delivery.from; at < content.length; at += piece)
    await sender.send(delivery, content.subarray(at, at + piece))
  sender.complete(delivery)
}

/** As many as are asked for. */
async function serve(sender: ArrivalSender, content: Buffer): Promise<never> {
  for (;;)
    try {
      await deliver(sender, content, 50_000)
    } catch (error) {
      if (!(error instanceof Superseded)) throw error
    }
}
