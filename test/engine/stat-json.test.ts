/** The JSON of `stat`: the stored text, on one line, in the shape of umoci 0.6. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { statImage } from '../../src/engine/stat-image.ts'
import { statJson } from '../../src/engine/stat-json.ts'
import { compactJson } from '../../src/image/compact-json.ts'
import { blobPath, sha256, writeIndex, type Descriptor } from '../support/image-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const INDEX = 'application/vnd.oci.image.index.v1+json'
const CONFIG = 'application/vnd.oci.image.config.v1+json'

let layout: string
beforeEach(() => {
  layout = makeTemporary()
  mkdirSync(`${layout}/blobs/sha256`, { recursive: true })
})
afterEach(() => removeTemporary(layout))

function store(mediaType: string, text: string): Descriptor {
  const bytes = Buffer.from(text)
  const descriptor = { mediaType, digest: sha256(bytes), size: bytes.length }
  writeFileSync(blobPath(layout, descriptor), bytes)
  return descriptor
}

/** What `stat --json` prints of the manifest with this text, which a tag names. */
async function printed(manifest: Descriptor): Promise<string> {
  writeIndex(layout, [
    { ...manifest, annotations: { 'org.opencontainers.image.ref.name': 'latest' } }
  ])
  return statJson(await statImage({ image: layout }))
}

const ENTRY = (manifest: Descriptor): string =>
  `{"mediaType":"${manifest.mediaType}","digest":"${manifest.digest}","size":${manifest.size},` +
  '"annotations":{"org.opencontainers.image.ref.name":"latest"}}'

test('documents are printed as they are stored, compacted', async () => {
  const config = store(
    CONFIG,
    `{
  "os": "linux", "architecture": "x",  "architecture": "amd64",
  "config": { "ExposedPorts": {"443/tcp": {}, "80/tcp": {}, "80": {}, "9": {}}, "Healthcheck": {"Interval": 1.0e3} },
  "rootfs": {"type": "layers", "diff_ids": []},
  "history": [],
  "big": 12345678901234567890123, "small": -0.0,\t"text": "a \\u003cb> & \u2028 \\" c\\/d", "none": null
}
`
  )
  const manifest = store(
    MANIFEST,
    `{"layers": [], "schemaVersion": 2, "10": 1, "9": 2,\r\n "config": ${JSON.stringify(config)} }`
  )
  expect(await printed(manifest)).toBe(
    `{"manifest":{"descriptor":${ENTRY(manifest)},` +
      `"blob":{"layers":[],"schemaVersion":2,"10":1,"9":2,"config":${JSON.stringify(config)}}},` +
      `"config":{"descriptor":${JSON.stringify(config)},"blob":{"os":"linux","architecture":"x","architecture":"amd64",` +
      '"config":{"ExposedPorts":{"443/tcp":{},"80/tcp":{},"80":{},"9":{}},"Healthcheck":{"Interval":1.0e3}},' +
      '"rootfs":{"type":"layers","diff_ids":[]},"history":[],' +
      '"big":12345678901234567890123,"small":-0.0,"text":"a \\u003cb\\u003e \\u0026 \\u2028 \\" c\\/d","none":null}},' +
      '"history":[]}\n'
  )
})

describe('a config of a foreign type', () => {
  const embedded = (text: string): object => ({
    mediaType: 'application/vnd.example',
    digest: sha256(Buffer.from(text)),
    size: Buffer.byteLength(text),
    data: Buffer.from(text).toString('base64')
  })
  const image = (config: object): Descriptor =>
    store(MANIFEST, JSON.stringify({ schemaVersion: 2, config, layers: [] }))

  test.each([
    ['JSON', '{ "10": 1.0, "9": "<" }', ',"blob":{"10":1.0,"9":"\\u003c"}'],
    ['a number', ' 1e999 ', ',"blob":1e999'],
    ['not JSON', '{a}', ''],
    ['half of a character, which base64 cannot hold', '"\ud800"', ',"blob":"\ufffd"'],
    ['text with a byte order mark', '\ufeff{}', '']
  ])('that is embedded is printed if it is JSON: %s', async (_name, text, blob) => {
    const config = embedded(text)
    const manifest = image(config)
    const stored = JSON.stringify({ schemaVersion: 2, config, layers: [] })
    expect(await printed(manifest)).toBe(
      `{"manifest":{"descriptor":${ENTRY(manifest)},"blob":${stored}},` +
        `"config":{"descriptor":${JSON.stringify(config)}${blob}}}\n`
    )
  })

  test('that is a blob of its own is left out', async () => {
    const text = await printed(image({ ...embedded('{}'), data: '' }))
    expect(Object.keys(JSON.parse(text) as object)).toEqual(['manifest'])
  })
})

test('an index with one image is printed as the image, with several as an index', async () => {
  const config = store(
    CONFIG,
    '{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}'
  )
  const manifest = store(MANIFEST, JSON.stringify({ schemaVersion: 2, config, layers: [] }))
  const platform = { architecture: 'amd64', os: 'linux' }
  const index = (...manifests: object[]): Descriptor =>
    store(INDEX, JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests }))
  const image =
    `{"manifest":{"descriptor":${JSON.stringify({ ...manifest, platform })},` +
    `"blob":{"schemaVersion":2,"config":${JSON.stringify(config)},"layers":[]}},` +
    `"config":{"descriptor":${JSON.stringify(config)},"blob":{"os":"linux","architecture":"amd64",` +
    '"rootfs":{"type":"layers","diff_ids":[]}}},"history":[]}'
  expect(await printed(index({ ...manifest, platform }))).toBe(`${image}\n`)

  const arm = { architecture: 'arm', os: 'linux', variant: 'v7' }
  const absent = { ...manifest, digest: sha256(Buffer.from('absent')), platform: arm }
  const both = index({ ...manifest, platform }, absent)
  const entry = (descriptor: object, of: object, shown: string): string =>
    `{"platform":${JSON.stringify(of)},"descriptor":${JSON.stringify(descriptor)},"image":${shown}}`
  expect(await printed(both)).toBe(
    `{"index":${ENTRY(both)},"images":[${entry({ ...manifest, platform }, platform, image)},` +
      `${entry(absent, arm, 'null')}]}\n`
  )
})

describe('compactJson', () => {
  test.each([
    ['[ 1 , "a b" ]', '[1,"a b"]'],
    ['"\\\\" ', '"\\\\"'],
    ['{"a\\" :" : [ 1 ]}', '{"a\\" :":[1]}'],
    ['', undefined],
    ['{} {}', undefined]
  ])('of %j', (text, compact) => {
    expect(compactJson(Buffer.from(text))).toBe(compact)
  })

  test('of bytes that are not UTF-8', () => {
    expect(compactJson(Buffer.from('22ff22', 'hex'))).toBeUndefined()
  })

  test('of deeply nested lists and of a long string', () => {
    const deep = '['.repeat(5000) + ']'.repeat(5000)
    expect(compactJson(Buffer.from(deep.replaceAll('[', '[ ')))).toBe(deep)
    const long = `"${'\\\\x'.repeat(500_000)}"`
    expect(compactJson(Buffer.from(` ${long}`))).toBe(long)
  })
})
