/** Settings for registries reach the transport of an image, from every function that takes its name. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import {
  catFile,
  configureImage,
  copy,
  extractFiles,
  insert,
  listFiles,
  listImages,
  listLayout,
  listReferrers,
  newImage,
  statImage,
  tagImage,
  unpack,
  unpackRootfs,
  verify,
  writeRuntimeConfig,
  type RegistrySettings
} from '../../src/index.ts'
import { oci } from '../../src/transports/oci.ts'
import type { ImageWriter, OpenOptions, WriterHelp } from '../../src/transports/transport.ts'
import { buildImage } from '../support/image-builder.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { unpackOptions } from '../support/whoever.ts'

const registry: RegistrySettings = { authfile: '/auth', tlsVerify: false }

let work: string
let image: string
let opened: OpenOptions[]
beforeEach(() => {
  work = makeTemporary()
  image = buildImage(`${work}/layout`, { layers: [tar(file('f', 'content'))] }).reference
  opened = []
  const open = oci.open.bind(oci)
  vi.spyOn(oci, 'open').mockImplementation((name, options) => {
    opened.push(options)
    return open(name, options)
  })
  const change = oci.change!.bind(oci)
  vi.spyOn(oci, 'change').mockImplementation((name, options) => {
    opened.push(options)
    return change(name, options)
  })
})
afterEach(() => {
  vi.restoreAllMocks()
  removeTemporary(work)
})

const destination = (): string => `${work}/to`
test.each<[string, () => Promise<unknown>]>([
  [
    'unpack',
    () => unpack({ image, registry, jobs: 0, destination: destination(), ...unpackOptions })
  ],
  [
    'unpackRootfs',
    () => unpackRootfs({ image, registry, jobs: 0, destination: destination(), ...unpackOptions })
  ],
  ['listLayout', () => listLayout({ layout: `${work}/layout`, registry })],
  ['listImages', () => listImages({ layout: `${work}/layout`, registry })],
  ['listReferrers', () => listReferrers({ image, registry })],
  ['writeRuntimeConfig', () => writeRuntimeConfig({ image, registry, file: destination() })],
  ['configureImage', () => configureImage({ image, registry, changes: {} })],
  ['insert', () => insert({ image, registry, source: '/dev/null', target: 'f' })],
  ['newImage', () => newImage({ image, registry })],
  ['tagImage', () => tagImage({ image, registry, tag: 'other' })],
  ['statImage', () => statImage({ image, registry })],
  ['verify', () => verify({ image, registry, jobs: 0 })],
  ['verify', () => verify({ layout: `${work}/layout`, registry })],
  ['listFiles', () => listFiles({ image, registry, jobs: 0 })],
  ['catFile', () => catFile({ image, registry, jobs: 0, path: 'f', write: () => undefined })],
  [
    'extractFiles',
    () => extractFiles({ image, registry, jobs: 0, paths: ['f'], destination: destination() })
  ],
  ['copy', () => copy({ source: image, destination: `${work}/to:t`, sourceRegistry: registry })]
])('%s', async (_name, act) => {
  await act()
  expect(opened.map((options) => options.registry)).toEqual([registry])
})

test('copy keeps those of the source and of the destination apart', async () => {
  let given: WriterHelp | undefined
  const writer: ImageWriter = (_image, help) => {
    given = help
    return Promise.resolve(undefined)
  }
  vi.spyOn(oci, 'writer').mockReturnValue(writer)
  await copy({ source: image, destination: `${work}/to:t`, destinationRegistry: registry })
  expect(opened.map((options) => options.registry)).toEqual([undefined])
  expect(given?.registry).toBe(registry)
})
