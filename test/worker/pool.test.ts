import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { display, fromText } from '../../src/bytes.ts'
import { BY_NODE } from '../../src/codec/choice.ts'
import type { Digest } from '../../src/image/digest.ts'
import { Control } from '../../src/worker/control.ts'
import { close, openOperatorDirectory } from '../../src/sys/files.ts'
import { decodeEntries } from '../../src/worker/entry-codec.ts'
import type { ReadLayerReport, ReadLayerTask } from '../../src/worker/read-layer.ts'
import type { Task } from '../../src/worker/perform.ts'
import { CELL } from '../../src/worker/line-cells.ts'
import { Pool } from '../support/dist.ts'
import { needs } from '../support/requires.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { directory, file, tar } from '../support/tar-builder.ts'

let work: string
let box: number
let pool: InstanceType<typeof Pool> | undefined

beforeEach(() => {
  work = makeTemporary()
  box = openOperatorDirectory(fromText(work))
})

afterEach(async () => {
  vi.restoreAllMocks()
  await pool?.close()
  close(box)
  removeTemporary(work)
})

const LAYER = tar(directory('d/'), file('d/a', 'one'), file('d/.wh.b'), file('d/a', 'two'))
const BIG = tar(
  ...Array.from({ length: 3000 }, (_, i) => file(`f${i}`)),
  file('big', randomBytes(32 << 20))
)

describe.each([0, 1, 2])('a pool of %i threads', (threads) => {
  test('stages layers and reports their entries in order', async () => {
    pool = new Pool(threads)
    const control = Control.forLayers(2)
    const entries: string[][] = [[], []]
    const run = (layer: number): Promise<unknown> =>
      pool!.run(task(layer, LAYER), control, collect(entries[layer]!))
    await Promise.all([run(0), run(1)])
    expect(entries[0]).toEqual(['directory d', 'file d/a', 'whiteout d/b', 'file d/a'])
    expect(entries[1]).toEqual(entries[0])
    expect(readdirSync(`${work}/1/tree/d`)).toEqual(['a'])
    expect(readdirSync(`${work}/1/spill`)).toEqual(['1'])
    expect(control.layer(1)).toMatchObject({
      read: LAYER.length,
      unpacked: LAYER.length,
      entries: 4
    })
    expect(control.unpacked).toBe(2 * LAYER.length)
    expect(control.entries).toBe(8)
  })

  test('passes a failure on with its code and facts, and goes on with other tasks', async () => {
    pool = new Pool(threads)
    const control = Control.forLayers(2)
    const bad = { ...task(0, LAYER), diffId: `sha256:${'0'.repeat(64)}` as Digest }
    await expect(pool.run(bad, control, collect([]))).rejects.toMatchObject({
      name: 'OciUnpackError',
      code: 'DIFF_ID_MISMATCH',
      facts: { expected: bad.diffId, found: digestOf(LAYER) }
    })
    const entries: string[] = []
    await pool.run(task(1, LAYER), control, collect(entries))
    expect(entries).toHaveLength(4)
  })

  test('stops a task where its control says so', async () => {
    pool = new Pool(threads)
    const control = Control.forLayers(1)
    const report = { ...collect([]), entries: () => control.abort() }
    await expect(pool.run(task(0, BIG), control, report)).rejects.toMatchObject({ code: 'ABORTED' })
    expect(control.layer(0).unpacked).toBeLessThan(BIG.length)
  })

  test('hands on what the receiver of entries throws', async () => {
    pool = new Pool(threads)
    const report = {
      ...collect([]),
      entries: () => {
        throw new Error('refused')
      }
    }
    await expect(pool.run(task(0, LAYER), Control.forLayers(1), report)).rejects.toThrow('refused')
  })
})

test('a thread that ends before it has answered is a failure that says so', async () => {
  pool = new Pool(1)
  // not a task: no answer can be given to it
  vi.spyOn(Worker.prototype, 'postMessage').mockImplementationOnce(function (this: Worker) {
    this.postMessage(null)
  })
  const running = pool.run(task(0, BIG), Control.forLayers(1), collect([]))
  await expect(running).rejects.toMatchObject({
    code: 'WORKER_DIED',
    hint: expect.stringContaining('jobs') as unknown
  })
})

test('closing waits for the tasks that run, and starts none of those that wait', async () => {
  const closing = new Pool(1)
  const control = Control.forLayers(2)
  let closed: Promise<string[]> | undefined
  const log: string[] = []
  const close = async (): Promise<string[]> => {
    await closing.close()
    return [...log, 'closed']
  }
  const report = { ...collect([]), entries: () => void (closed ??= close()) }
  const running = closing.run(task(0, BIG), control, report).then(() => log.push('done'))
  void closing.run(task(1, LAYER), control, { ...collect([]), entries: () => log.push('begun') })
  await running
  expect(await closed).toEqual(['done', 'closed'])
  expect(control.layer(0).unpacked).toBe(BIG.length)
})

test('no more tasks run at once than there are threads', async () => {
  pool = new Pool(1)
  const control = Control.forLayers(2)
  const log: string[] = []
  await Promise.all(
    [0, 1].map((layer) =>
      pool!
        .run(task(layer, LAYER), control, {
          ...collect([]),
          entries: () => log.push(`${layer} in`)
        })
        .then(() => log.push(`${layer} done`))
    )
  )
  expect(log).toEqual(['0 in', '0 done', '1 in', '1 done'])
})

describe('no thread waits for ever to assist with', () => {
  const content = randomBytes(20 << 20)
  const packed = gzipSync(content, { level: 1 })
  const shared = { gzip: needs('igzip') ? 'isal' : undefined, zstd: undefined } as const
  const longer = Buffer.concat([packed, Buffer.from('x')])
  const damaged = Buffer.concat([Buffer.from('no gzip'), packed.subarray(7)])

  test.each([
    ['a layer that only one thread can read', packed, packed, BY_NODE, undefined],
    ['a blob that is longer than it should be', longer, packed, shared, 'BLOB_SIZE_MISMATCH'],
    ['a blob that does not begin as it should', damaged, packed, shared, 'BLOB_DIGEST_MISMATCH']
  ] as const)('%s', async (_, stored, meant, decompressor, code) => {
    const closing = new Pool(2)
    const path = `${work}/blob`
    writeFileSync(path, stored)
    const source = { digest: digestOf(meant), size: meant.length, path }
    const layer = { compression: 'gzip', decompressor, diffId: digestOf(content) } as const
    const check = { type: 'check-blob', layer: 0, source, content: layer } as const
    const ended = await closing.run(check, Control.forLayers(1)).then(() => undefined, codeOf)
    expect(ended).toBe(code)
    await closing.close()
  })
})

test('a thread that dies while it assists is a failure that says so', async () => {
  pool = new Pool(2)
  const post = Object.getOwnPropertyDescriptor(Worker.prototype, 'postMessage')!.value as () => void
  vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(function (this: Worker, message) {
    const { task: begun } = message as { task: Task }
    const dies = begun.type === 'assist-layer'
    // as if it had died after it had joined
    if (dies) Atomics.add(new Int32Array(begun.line), CELL.assistants, 1)
    Reflect.apply(post, this, [dies ? null : message])
  })
  const control = Control.forLayers(1)
  const running = pool.run(task(0, BIG), control, collect([]))
  await expect(running).rejects.toMatchObject({ code: 'WORKER_DIED' })
  // whoever else is stopped for it knows why
  const other = pool.run({ ...task(1, LAYER), layer: 0 }, control, collect([]))
  await expect(other).rejects.toMatchObject({ code: 'WORKER_DIED' })
})

test('a thread that cannot be started to assist is not needed', async () => {
  pool = new Pool(2)
  const starts = pool as unknown as { startThread: () => unknown }
  const start = starts.startThread.bind(pool)
  const starting = vi.spyOn(starts, 'startThread')
  starting.mockImplementationOnce(start).mockImplementation(() => {
    throw new Error('no more threads')
  })
  await pool.run(task(0, BIG), Control.forLayers(1), collect([]))
  expect(starting.mock.calls.length).toBeGreaterThan(1)
})

test('a thread is not given another task before its own has ended, whatever its report throws', async () => {
  pool = new Pool(1)
  const report = {
    ...collect([]),
    entries: () => {
      throw new Error('refused')
    }
  }
  await expect(pool.run(task(0, BIG), Control.forLayers(1), report)).rejects.toThrow('refused')
  const bad = { ...task(1, LAYER), diffId: `sha256:${'0'.repeat(64)}` as Digest }
  const next = pool.run(bad, Control.forLayers(2), collect([]))
  await expect(next).rejects.toMatchObject({ code: 'DIFF_ID_MISMATCH' })
})

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code
}

function collect(entries: string[]): ReadLayerReport {
  return {
    entries(batch) {
      for (const { type, path } of decodeEntries(batch)) entries.push(`${type} ${display(path)}`)
    },
    lostXattr: () => undefined,
    otherCompression: () => undefined
  }
}

/** An uncompressed layer, with a staging directory of its own. */
function task(layer: number, content: Buffer): ReadLayerTask {
  const path = `${work}/${layer}.tar`
  mkdirSync(`${work}/${layer}`)
  writeFileSync(path, content)
  const digest = digestOf(content)
  return {
    type: 'read-layer',
    layer,
    sink: { kind: 'staging', place: { directory: box, path: String(layer) }, digests: false },
    source: { digest, size: content.length, path },
    compression: 'none',
    diffId: digest,
    decompressor: BY_NODE,
    rules: {
      policy: {
        kind: 'exact',
        uidMap: [{ containerId: 0, hostId: process.geteuid!(), size: 1 }],
        gidMap: [{ containerId: 0, hostId: process.getegid!(), size: 1 }]
      },
      maxPathBytes: 4095
    },
    limits: { entries: 1e6, unpackedBytes: 1e9, ratio: 1e4, tar: {} }
  }
}

function digestOf(bytes: Buffer): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest
}
