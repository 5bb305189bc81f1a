import { spawnSync } from 'node:child_process'
import * as fc from 'fast-check'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { layerTar } from '../reference/layer-tar.ts'
import { layerStack } from '../reference/random-layers.ts'
import { applySerially, isRejected, type Member } from '../reference/serial.ts'
import { snapshot } from '../reference/snapshot.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { file, tar, type Entry } from '../support/tar-builder.ts'
import { inScratch } from './support.ts'

const script = new URL('../support/delayed-unpacks.mjs', import.meta.url).pathname
const THREADS = [0, 1, 2, 4]
const images = Number(process.env['OCI_UNPACK_PROPERTY_RUNS'] ?? 300) / 75

/** As many chunks as a line has, and one more. */
const FILLER_BYTES = 9 << 18

test.runIf(needs('root'))(
  'an image unpacked by any number of threads, which wait at random moments, equals its layers applied in order',
  async () => {
    const seed = Number(process.env['OCI_UNPACK_SEED'] ?? Date.now() % 1_000_000)
    console.log(`layers with delays: seed ${seed}`)
    const samples = fc.sample(layerStack, { seed, numRuns: images })
    await inScratch((work) => {
      const accepted = samples.flatMap((layers, at) => {
        const serial = `${work}/serial-${at}`
        return isRejected(() => applySerially(serial, layers, false))
          ? []
          : [{ layers, serial, at }]
      })
      const jobs = accepted.flatMap(({ layers, at }) => {
        const image = withFillers(`${work}/layout-${at}`, layers)
        return THREADS.map((threads) => ({
          image,
          destination: `${work}/made-${at}-${threads}`,
          jobs: threads
        }))
      })
      unpackAll(jobs)
      for (const { serial, at } of accepted)
        for (const threads of THREADS)
          expect(snapshot(`${work}/made-${at}-${threads}`)).toBe(snapshot(serial))
      return Promise.resolve()
    })
  }
)

test.runIf(needs('root'))(
  'the digests in the tree manifest are those of the files, whoever hashes them',
  async () => {
    await inScratch((work) => {
      const bodies = Array.from({ length: 24 }, (_, at) => randomBytes(at * at * 300))
      const files = bodies.map((body, at) => file(`f${at}`, body))
      const { member, content } = tinyParts()
      const layer = tar(...files.slice(0, 12), member, ...files.slice(12), file('last', 'one'))
      bodies.push(content, Buffer.from('one'))
      const { reference } = buildImage(`${work}/layout`, { layers: [layer] })
      const runs = [0, 1, 2, 2, 2, 2, 4, 4]
      const made = (run: number): string => `${work}/made-${run}`
      unpackAll(
        runs.map((jobs, run) => ({ as: 'bundle', image: reference, destination: made(run), jobs }))
      )
      const expected = bodies.map((body) => createHash('sha256').update(body).digest('hex')).sort()
      for (const run of runs.keys()) expect(digestsIn(made(run))).toEqual(expected)
      return Promise.resolve()
    })
  }
)

test.runIf(needs('root'))('a layer with a digest of SHA-512 is verified by its own thread', () =>
  inScratch((work) => {
    const blob = tar(file('f', randomBytes(FILLER_BYTES)))
    const digest = createHash('sha512').update(blob).digest('hex')
    const { mediaType } = uncompressed(blob)
    const layers = [{ mediaType, digest: `sha512:${digest}`, size: blob.length }]
    const { reference } = buildImage(`${work}/layout`, { layers: [blob], manifest: { layers } })
    mkdirSync(`${work}/layout/blobs/sha512`)
    writeFileSync(`${work}/layout/blobs/sha512/${digest}`, blob)
    unpackAll(
      THREADS.map((jobs) => ({ image: reference, destination: `${work}/made-${jobs}`, jobs }))
    )
    return Promise.resolve()
  })
)

/** A sparse file with more parts than there is room for in the memory of a chunk. */
function tinyParts(): { member: Entry; content: Buffer<ArrayBuffer> } {
  const parts = 1500
  const content = Buffer.alloc(parts * 3)
  const map = [parts]
  for (let part = 0; part < parts; part++) {
    map.push(part * 3 + 1, 1)
    content[part * 3 + 1] = 120
  }
  const text = `${map.join('\n')}\n`
  const stored = text.padEnd(Math.ceil(text.length / 512) * 512, '\0') + 'x'.repeat(parts)
  const sparse = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 'sparse' }
  const pax = { ...sparse, 'GNU.sparse.realsize': String(content.length) }
  return { member: file('sparse', stored, { pax }), content }
}

/** Layers that take more than one chunk; the fillers are removed again by an upper layer. */
function withFillers(layout: string, layers: readonly Member[][]): string {
  const filled = layers.map((members, at) =>
    Buffer.concat([tarOf(`filler-${at}`), layerTar(members)])
  )
  const removal = tar(...layers.map((_, at) => file(`.wh.filler-${at}`)))
  return buildImage(layout, {
    layers: [
      ...filled.map((bytes, at) => (at % 2 === 0 ? bytes : { tar: bytes, ...uncompressed(bytes) })),
      removal
    ]
  }).reference
}

function uncompressed(blob: Buffer): { blob: Buffer; mediaType: string } {
  return { blob, mediaType: 'application/vnd.oci.image.layer.v1.tar' }
}

/** A file without the blocks that end an archive. */
function tarOf(name: string): Buffer {
  return tar(file(name, randomBytes(FILLER_BYTES))).subarray(0, 512 + FILLER_BYTES)
}

function unpackAll(jobs: readonly object[]): void {
  const { status, stderr } = spawnSync(process.execPath, ['--import', script, script], {
    input: JSON.stringify(jobs),
    encoding: 'utf8'
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
}

function digestsIn(bundle: string): string[] {
  const name = readdirSync(bundle).find((file) => file.endsWith('.mtree'))!
  const text = readFileSync(`${bundle}/${name}`, 'utf8')
  return [...text.matchAll(/sha256digest=([0-9a-f]{64})/g)].map(([, digest]) => digest!).sort()
}
