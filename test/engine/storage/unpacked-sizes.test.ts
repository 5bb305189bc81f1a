/** How large hooks are told that layers are. */
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { unpackedSizeOf } from '../../../src/codec/size-hint.ts'
import { imageSize, unpackedSizes } from '../../../src/engine/storage/unpacked-sizes.ts'
import type { Job } from '../../../src/engine/extract/job.ts'
import { OCI_LAYER } from '../../../src/image/media-types.ts'
import { requestEnvironment } from '../../../src/hooks/environment.ts'
import { layerContext } from '../../hooks/contexts.ts'
import { library } from '../../support/dist.ts'
import { file, tar } from '../../support/tar-builder.ts'
import { inScratch, optionsFor } from '../support.ts'
import { chainStore } from './directory-store.ts'
import { needs } from '../../support/requires.ts'
import { withTemporary } from '../../support/temporary.ts'

const TAR = Buffer.alloc(4096, 'x')

test.each<[string, (path: string) => void, 'none' | 'gzip' | 'zstd', object | undefined]>([
  ['not compressed', (path) => writeFileSync(path, TAR), 'none', { bytes: 4096, is: 'exactly' }],
  [
    'one member',
    (path) => writeFileSync(path, gzipSync(TAR)),
    'gzip',
    { bytes: 4096, is: 'at least' }
  ],
  [
    'two members, of which the last is seen',
    (path) => {
      writeFileSync(path, gzipSync(TAR))
      appendFileSync(path, gzipSync(Buffer.alloc(1024)))
    },
    'gzip',
    { bytes: 1024, is: 'at least' }
  ],
  ['zstd', (path) => writeFileSync(path, TAR), 'zstd', undefined],
  ['a blob that is missing', (path) => rmSync(path, { force: true }), 'gzip', undefined]
])('%s', (_what, make, compression, expected) =>
  withTemporary((work) => {
    const path = `${work}/blob`
    make(path)
    const size = expected === undefined ? 0 : readFileSync(path).length
    expect(unpackedSizeOf({ path, size }, compression)).toEqual(expected)
  })
)

test('an annotation says it exactly, and the sizes of an image add up', () => {
  const of = (annotation: string | undefined, mediaType = OCI_LAYER): object => ({
    mediaType,
    size: 10,
    annotations: annotation === undefined ? {} : { 'ci.umo.uncompressed_blob_size': annotation }
  })
  const sizesOf = (...layers: object[]): ReturnType<typeof unpackedSizes> =>
    unpackedSizes({
      image: { manifest: { layers } },
      source: { blobSource: ({ size }: { size: number }) => ({ size }) }
    } as unknown as Job)
  const exact = sizesOf(of('5000', `${OCI_LAYER}+zstd`), of(undefined))
  expect(exact).toEqual([
    { bytes: 5000, is: 'exactly' },
    { bytes: 10, is: 'exactly' }
  ])
  expect(imageSize(exact)).toEqual({ imageUnpackedSize: 5010, imageUnpackedSizeIs: 'exactly' })
  const vague = sizesOf(of('5000'), of('many', `${OCI_LAYER}+zstd`), of('7', 'unknown'))
  expect(vague.map((size) => size?.bytes)).toEqual([5000, undefined, 7])
  expect(imageSize(vague)).toEqual({ imageUnpackedSize: 5007, imageUnpackedSizeIs: 'at least' })
})

test.runIf(needs('root'))('hooks are told, as functions and in the environment', async () => {
  const told: object[] = []
  await inScratch(async (work) => {
    const { hooks } = chainStore(`${work}/store`)
    const options = optionsFor(work, [tar(file('a', 'one')), tar(file('b', 'two'))])
    await library.unpack({
      ...options,
      hooks: {
        ...hooks,
        preExtract(context, call) {
          const { unpackedSize, unpackedSizeIs, imageUnpackedSize, imageUnpackedSizeIs } = context
          told.push({ unpackedSize, unpackedSizeIs, imageUnpackedSize, imageUnpackedSizeIs })
          return hooks.preExtract!(context, call)
        }
      }
    })
  })
  const length = tar(file('a', 'one')).length
  const facts = {
    unpackedSize: length,
    unpackedSizeIs: 'at least',
    imageUnpackedSize: 2 * length,
    imageUnpackedSizeIs: 'at least'
  } as const
  expect(told).toEqual([facts, facts])
  const context = { ...layerContext('x'), ...facts }
  expect(requestEnvironment({ point: 'pre-extract', context })).toMatchObject({
    OCI_UNPACK_LAYER_UNPACKED_SIZE: String(length),
    OCI_UNPACK_LAYER_UNPACKED_SIZE_IS: 'at least',
    OCI_UNPACK_UNPACKED_SIZE: String(2 * length),
    OCI_UNPACK_UNPACKED_SIZE_IS: 'at least'
  })
})
