import { createHash } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { afterEach, expect, test, vi } from 'vitest'
import type { Digest } from '../../src/image/digest.ts'
import { Control } from '../../src/worker/control.ts'
import { LayerLine } from '../../src/worker/layer-line.ts'
import { SharedCells } from '../../src/sys/shared-cells.ts'
import { lineHashes, openLineBlob, openSharedBlob } from '../../src/worker/line-hashes.ts'
import { CHUNK_BYTES, lineMemory, newLineMemory } from '../../src/worker/line-memory.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

afterEach(() => vi.restoreAllMocks())

test.each([1, 2, 3, 4])(
  'a line is not over while its last chunk waits, even if that was read before look %i at the counters',
  (moment) => {
    const line = newLine(Buffer.from('the last chunk'))
    let looks = 0
    const get = vi.spyOn(line.cells, 'get')
    get.mockImplementation((cell) => {
      looks += 1
      if (looks === moment) while (line.tryRead());
      return SharedCells.prototype.get.call(line.cells, cell)
    })
    expect(line.isOver).toBe(false)
  }
)

test('what was read before a failure still has to pass, and the failure is told then', () => {
  const line = newLine(Buffer.alloc(CHUNK_BYTES), CHUNK_BYTES + 1)
  while (line.tryRead());
  expect(line.isOver).toBe(false)
  line.parsed(0)
  expect(line.tryHash()).toBe(true)
  expect(line.isOver).toBe(true)
  expect(() => line.throwFailure()).toThrow(expect.objectContaining({ code: 'BLOB_SIZE_MISMATCH' }))
})

test('a thread that joins reads the file that is open, not what is at its path by now', () => {
  const work = makeTemporary()
  try {
    const path = `${work}/blob`
    const [old, other] = [Buffer.from('old'), Buffer.from('new')]
    writeFileSync(path, old)
    const source = { digest: digestOf(old), size: 3, path }
    const task = { source, compression: 'none', diffId: source.digest } as const
    const memory = lineMemory(newLineMemory())
    const hashes = lineHashes(memory, task)
    hashes.blob.reset()
    const own = openLineBlob(memory, task, hashes)
    rmSync(path)
    writeFileSync(path, other)
    const joined = openSharedBlob(memory, task, hashes)
    expect(joined.read()?.toString()).toBe('old')
    joined.close()
    own.close()
  } finally {
    removeTemporary(work)
  }
})

function newLine(data: Buffer, size = data.length): LayerLine {
  const digest = digestOf(data)
  const memory = lineMemory(newLineMemory())
  const source = { digest, size, data }
  const task = { layer: 0, source, compression: 'none', diffId: digest, digests: true } as const
  const hashes = lineHashes(memory, task)
  for (const hash of [hashes.blob, hashes.tar, hashes.body]) hash.reset()
  const blob = openLineBlob(memory, task, hashes)
  return new LayerLine(memory, task, Control.forLayers(1), { blob, hashes })
}

function digestOf(data: Buffer): Digest {
  return `sha256:${createHash('sha256').update(data).digest('hex')}` as Digest
}
