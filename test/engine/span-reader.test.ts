/** How much of a layer is read and inflated for one part of it, in every form that a layer can have. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OpenIndex } from '../../src/engine/files/open-index.ts'
import { SpanReader } from '../../src/engine/files/span-reader.ts'
import { indexLayers } from '../../src/index.ts'
import { openRegularFile } from '../../src/sys/open-regular.ts'
import { imageInForm, layerForms } from '../support/layer-forms.ts'
import { noise } from '../support/noise.ts'
import { directory, file } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

const MIB = 2 ** 20
const disk = noise(10 * MIB)
const entries = [directory('disk'), file('disk/disk.img', disk), file('after', noise(70_000))]
/** Spans have about 4 MiB, and at most twice as many. */
const MOST = 8 * MIB

const forms = layerForms().map((form) => [form.name, form] as const)
const seekable = forms.filter(([name]) => name !== 'one zstd frame')

describe.each(seekable)('%s', (_name, form) => {
  let work: string
  let index: OpenIndex
  let blob: Buffer
  beforeAll(async () => {
    work = makeTemporary()
    const image = imageInForm(join(work, 'layout'), form, [entries])
    const { layers } = await indexLayers({ image, index: join(work, 'index'), jobs: 0 })
    const { digest, file: path } = layers[0]!
    index = OpenIndex.open(openRegularFile(path, 'refused')!, path)!
    blob = readFileSync(join(work, 'layout/blobs', digest.replace(':', '/')))
  })
  afterAll(() => {
    index.close()
    removeTemporary(work)
  })

  test('a read in the middle inflates one span', async () => {
    const { spans } = index.tail
    const span = spans.find(bodyAt() + 5 * MIB)
    const { counted, reader } = readerOf(index, blob)
    const target = Buffer.alloc(65_536)
    const at = spans.startOf(span) + MIB
    await reader.read(target, at)
    await reader.close()
    expect(target.equals(disk.subarray(at - bodyAt(), at - bodyAt() + target.length))).toBe(true)
    const [first, next] = [spans.at(span), spans.at(span + 1)]
    expect(span).toBeGreaterThan(0)
    expect(next.start - first.start).toBeLessThanOrEqual(MOST)
    expect(counted.from).toBeGreaterThanOrEqual(Math.floor(first.restart!.bits / 8))
    expect(counted.to).toBeLessThanOrEqual(Math.ceil(next.restart!.bits / 8))
  })

  test('what follows the content of a layer is not part of it', async () => {
    const { reader } = readerOf(index, blob)
    const target = Buffer.alloc(index.tail.size - bodyAt() - disk.length)
    await reader.read(target, bodyAt() + disk.length)
    await reader.close()
    expect(target.includes(noise(70_000))).toBe(true)
  })

  /** Where the disk begins in the tar. */
  function bodyAt(): number {
    const found = Array.from(index.entries()()).find(({ size }) => size === disk.length)
    return found!.body!
  }
})

test.skipIf(forms.length === seekable.length)(
  'a zstd layer of one frame can only be read from its beginning',
  async () => {
    const work = makeTemporary()
    try {
      const [, form] = forms.find(([name]) => name === 'one zstd frame')!
      const image = imageInForm(join(work, 'layout'), form, [[file('a', noise(MIB))]])
      const { layers } = await indexLayers({ image, index: join(work, 'index'), jobs: 0 })
      expect(layers[0]!.restarts).toBe(1)
      expect(readdirSync(join(work, 'index'))).toHaveLength(1)
    } finally {
      removeTemporary(work)
    }
  }
)

interface Counted {
  from: number
  to: number
}

/** What of the blob was asked for. */
function readerOf(index: OpenIndex, blob: Buffer): { counted: Counted; reader: SpanReader } {
  const counted = { from: Infinity, to: 0 }
  const parts = {
    read: (offset: number, length: number) => {
      counted.from = Math.min(counted.from, offset)
      counted.to = Math.max(counted.to, offset + length)
      return Promise.resolve(blob.subarray(offset, offset + length))
    },
    close: () => undefined
  }
  return { counted, reader: new SpanReader(index, parts, blob.length) }
}
