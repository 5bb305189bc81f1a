/** Layers that are compressed in another way than their media types say: the content counts, as in Docker and podman. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { library } from '../support/dist.ts'
import { buildImage, sha256 } from '../support/image-builder.ts'
import { file, tar } from '../support/tar-builder.ts'
import { codeOf, inScratch, optionsFor, recorder } from './support.ts'
import { unpackOptions } from '../support/whoever.ts'

const TYPE = 'application/vnd.oci.image.layer.v1.tar'
const FIRST = tar(file('a', 'one'))
const SECOND = tar(file('b', 'two'))
const PACK = {
  none: (bytes: Buffer) => bytes,
  gzip: (bytes: Buffer) => gzipSync(bytes),
  zstd: (bytes: Buffer) => execFileSync('zstd', ['-qc'], { input: bytes })
} as const
type Kind = keyof typeof PACK

const layersOf = (
  declared: Kind,
  actual: Kind
): { tar: Buffer; blob: Buffer; mediaType: string }[] =>
  [FIRST, SECOND].map((bytes) => ({
    tar: bytes,
    blob: PACK[actual](bytes),
    mediaType: declared === 'none' ? TYPE : `${TYPE}+${declared}`
  }))

test.each<[declared: Kind, actual: Kind]>([
  ['none', 'gzip'],
  ['none', 'zstd'],
  ['gzip', 'none'],
  ['gzip', 'zstd'],
  ['zstd', 'none'],
  ['zstd', 'gzip']
])('%s that is %s is unpacked, with one warning, and verified', (declared, actual) =>
  inScratch(async (work) => {
    const { events, onEvent } = recorder()
    const options = optionsFor(work, { layers: layersOf(declared, actual) })
    await library.unpackRootfs({ ...options, jobs: actual === 'gzip' ? 2 : 0, onEvent })
    expect(readFileSync(`${work}/made/a`, 'latin1')).toBe('one')
    expect(readFileSync(`${work}/made/b`, 'latin1')).toBe('two')
    const warnings = events.filter(({ type }) => type === 'warning')
    expect(warnings).toMatchObject([{ facts: { expected: declared, found: actual } }])
    expect(await library.verify({ image: options.image, jobs: 0 })).toMatchObject({ ok: true })
    const archive = `docker-archive:${work}/copy.tar`
    await library.copy({ source: options.image, destination: archive, jobs: 0 })
    expect(await library.verify({ layout: archive, jobs: 0 })).toMatchObject({ ok: true })
  })
)

test.each<[declared: Kind, actual: Kind]>([
  ['none', 'gzip'],
  ['gzip', 'zstd']
])('%s that is %s and not what the config says is refused by both', (declared, actual) =>
  inScratch(async (work) => {
    const [layer] = layersOf(declared, actual)
    const { reference } = buildImage(`${work}/wrong`, {
      layers: [{ ...layer!, diffId: sha256(layer!.blob) }]
    })
    const unpacked = library.unpackRootfs({
      ...unpackOptions,
      image: reference,
      destination: `${work}/out`
    })
    expect(await codeOf(unpacked)).toBe('DIFF_ID_MISMATCH')
    const { blobs } = await library.verify({ image: reference, jobs: 0 })
    expect(blobs.flatMap(({ error }) => error?.code ?? [])).toEqual(['DIFF_ID_MISMATCH'])
  })
)
