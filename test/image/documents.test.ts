import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  layerDiffIds,
  parseConfig,
  parseIndex,
  parseLayoutFile,
  parseManifest
} from '../../src/image/documents.ts'
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../src/image/media-types.ts'
import { oddEntries } from '../../src/image/odd-entries.ts'
import { indexBytes } from '../../src/image/serialise.ts'
import type { ImageIndex } from '../../src/image/types.ts'
import { failure } from './errors.ts'

type Value = Record<string, unknown>

const DIGEST = `sha256:${'a'.repeat(64)}`
const DESCRIPTOR: Value = { mediaType: OCI_CONFIG, digest: DIGEST, size: 2 }
const INDEX: Value = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [DESCRIPTOR] }
const MANIFEST: Value = { schemaVersion: 2, config: DESCRIPTOR, layers: [DESCRIPTOR] }
const CONFIG: Value = {
  architecture: 'amd64',
  os: 'linux',
  rootfs: { type: 'layers', diff_ids: [DIGEST] }
}

const PARSERS = {
  layout: (value: unknown) => parseLayoutFile(bytes(value), { file: 'oci-layout' }),
  index: (value: unknown) => allOf(parseIndex(bytes(value), { file: 'f', mediaType: OCI_INDEX })),
  manifest: (value: unknown) => parseManifest(bytes(value), { file: 'f', mediaType: OCI_MANIFEST }),
  config: (value: unknown) => parseConfig(bytes(value), { file: 'f', mediaType: OCI_CONFIG })
}

/** Entries that are not valid are set aside. */
function allOf(index: ImageIndex): ImageIndex {
  for (const { fault } of oddEntries(index)) throw fault
  return index
}

function bytes(value: unknown): Buffer {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
}

describe('a bad document is refused with the place and the reason', () => {
  const without = (value: Value, key: string): Value =>
    Object.fromEntries(Object.entries(value).filter(([name]) => name !== key))
  const descriptor = (change: Value): Value => ({
    ...INDEX,
    manifests: [DESCRIPTOR, { ...DESCRIPTOR, ...change }]
  })
  const platform = (change: Value): Value =>
    descriptor({ platform: { os: 'linux', architecture: 'arm', ...change } })
  const execution = (change: Value): Value => ({ ...CONFIG, config: change })
  const history = (change: Value): Value => ({ ...CONFIG, history: [{}, change] })
  const rootfs = (change: Value): Value => ({
    ...CONFIG,
    rootfs: { type: 'layers', diff_ids: [], ...change }
  })

  test.each<[keyof typeof PARSERS, unknown, string, string]>([
    ['layout', [], '', 'must be an object, found a list'],
    ['layout', {}, '/imageLayoutVersion', 'is missing; must be a layout version 1.x.y'],
    ['layout', { imageLayoutVersion: '2.0.0' }, '/imageLayoutVersion', 'found "2.0.0"'],
    ['layout', { imageLayoutVersion: 1 }, '/imageLayoutVersion', 'found 1'],

    ['index', 'null', '', 'must be an object, found null'],
    ['index', '{', '', 'is not JSON'],
    ['index', without(INDEX, 'schemaVersion'), '/schemaVersion', 'is missing; must be 2'],
    ['index', { ...INDEX, schemaVersion: 1 }, '/schemaVersion', 'must be 2, found 1'],
    ['index', without(INDEX, 'manifests'), '/manifests', 'is missing; must be a list'],
    [
      'index',
      { ...INDEX, manifests: {} },
      '/manifests',
      'must be a list of descriptors, found an object'
    ],
    ['index', { ...INDEX, manifests: [null] }, '/manifests/0', 'found null'],
    [
      'index',
      { ...INDEX, mediaType: OCI_MANIFEST },
      '/mediaType',
      'must be the media type of an image index'
    ],
    [
      'index',
      { ...INDEX, mediaType: 'application/vnd.docker.distribution.manifest.list.v2+json' },
      '/mediaType',
      'as its descriptor says'
    ],
    ['index', { ...INDEX, artifactType: 1 }, '/artifactType', 'must be a media type'],
    ['index', { ...INDEX, config: DESCRIPTOR }, '/config', 'must be absent'],
    ['index', { ...INDEX, layers: [] }, '/layers', 'must be absent'],
    ['index', { ...INDEX, subject: 1 }, '/subject', 'must be a content descriptor'],
    ['index', { ...INDEX, subject: {} }, '/subject/mediaType', 'is missing'],
    ['index', { ...INDEX, annotations: { a: 1 } }, '/annotations/a', 'must be a string, found 1'],
    ['index', { ...INDEX, annotations: [] }, '/annotations', 'found a list'],

    [
      'index',
      descriptor({ mediaType: undefined }),
      '/manifests/1/mediaType',
      'is missing; must be a media type'
    ],
    ['index', descriptor({ mediaType: 'tar' }), '/manifests/1/mediaType', 'must be a media type'],
    [
      'index',
      descriptor({ digest: undefined }),
      '/manifests/1/digest',
      'is missing; must be a digest'
    ],
    ['index', descriptor({ digest: 'sha256:abc' }), '/manifests/1/digest', 'found "sha256:abc"'],
    ['index', descriptor({ digest: DIGEST.toUpperCase() }), '/manifests/1/digest', 'lower-case'],
    ['index', descriptor({ digest: `${DIGEST}\n` }), '/manifests/1/digest', 'lower-case'],
    ['index', descriptor({ digest: `sha512:${'a'.repeat(64)}` }), '/manifests/1/digest', '128'],
    ['index', descriptor({ digest: 'sha256:../../etc/passwd' }), '/manifests/1/digest', 'must be'],
    [
      'index',
      descriptor({ size: undefined }),
      '/manifests/1/size',
      'is missing; must be a whole number'
    ],
    [
      'index',
      descriptor({ size: -1 }),
      '/manifests/1/size',
      'from 0 to 9007199254740991, found -1'
    ],
    ['index', descriptor({ size: 1.5 }), '/manifests/1/size', 'found 1.5'],
    ['index', descriptor({ size: '2' }), '/manifests/1/size', 'found "2"'],
    [
      'index',
      `{"schemaVersion":2,"manifests":[{"mediaType":"a/b","digest":"${DIGEST}","size":9007199254740993}]}`,
      '/manifests/0/size',
      'found 9007199254740993'
    ],
    ['index', descriptor({ size: 2 ** 53 }), '/manifests/1/size', 'found 9007199254740992'],
    ['index', descriptor({ urls: 'x' }), '/manifests/1/urls', 'must be a list of URLs'],
    ['index', descriptor({ urls: [1] }), '/manifests/1/urls/0', 'must be a URL'],
    [
      'index',
      descriptor({ annotations: { 'a/b~c': null } }),
      '/manifests/1/annotations/a~1b~0c',
      'found null'
    ],
    ['index', descriptor({ data: '-_' }), '/manifests/1/data', 'must be base64'],
    ['index', descriptor({ data: 1 }), '/manifests/1/data', 'must be base64'],
    [
      'index',
      descriptor({ artifactType: {} }),
      '/manifests/1/artifactType',
      'must be a media type'
    ],
    [
      'index',
      descriptor({ platform: 'linux' }),
      '/manifests/1/platform',
      'must be an object with os'
    ],
    ['index', platform({ os: undefined }), '/manifests/1/platform/os', 'is missing'],
    [
      'index',
      platform({ architecture: undefined }),
      '/manifests/1/platform/architecture',
      'is missing'
    ],
    ['index', platform({ os: 1 }), '/manifests/1/platform/os', 'must be a GOOS value'],
    [
      'index',
      platform({ architecture: 1 }),
      '/manifests/1/platform/architecture',
      'must be a GOARCH'
    ],
    [
      'index',
      platform({ variant: 7 }),
      '/manifests/1/platform/variant',
      'must be a string such as v7'
    ],
    [
      'index',
      platform({ 'os.version': 1 }),
      '/manifests/1/platform/os.version',
      'must be a string'
    ],
    [
      'index',
      platform({ 'os.features': 'x' }),
      '/manifests/1/platform/os.features',
      'list of strings'
    ],
    ['index', platform({ 'os.features': [1] }), '/manifests/1/platform/os.features/0', 'a string'],

    ['manifest', '[]', '', 'must be an object'],
    ['manifest', without(MANIFEST, 'schemaVersion'), '/schemaVersion', 'is missing'],
    ['manifest', { ...MANIFEST, schemaVersion: '2' }, '/schemaVersion', 'must be 2, found "2"'],
    [
      'manifest',
      without(MANIFEST, 'config'),
      '/config',
      'is missing; must be a content descriptor'
    ],
    ['manifest', { ...MANIFEST, config: null }, '/config', 'found null'],
    ['manifest', { ...MANIFEST, config: { ...DESCRIPTOR, size: -1 } }, '/config/size', 'found -1'],
    ['manifest', without(MANIFEST, 'layers'), '/layers', 'is missing'],
    ['manifest', { ...MANIFEST, layers: 1 }, '/layers', 'must be a list of descriptors'],
    ['manifest', { ...MANIFEST, layers: [{}] }, '/layers/0/mediaType', 'is missing'],
    ['manifest', { ...MANIFEST, mediaType: OCI_INDEX }, '/mediaType', 'of an image manifest'],
    ['manifest', { ...MANIFEST, manifests: [] }, '/manifests', 'must be absent'],
    ['manifest', { ...MANIFEST, manifests: null }, '/manifests', 'must be absent'],
    [
      'manifest',
      { ...MANIFEST, subject: { ...DESCRIPTOR, digest: '' } },
      '/subject/digest',
      'a digest'
    ],
    ['manifest', { ...MANIFEST, artifactType: 1 }, '/artifactType', 'must be a media type'],
    ['manifest', { ...MANIFEST, annotations: { a: {} } }, '/annotations/a', 'found an object'],

    ['config', 'true', '', 'must be an object, found true'],
    ['config', without(CONFIG, 'os'), '/os', 'is missing'],
    ['config', without(CONFIG, 'architecture'), '/architecture', 'is missing'],
    ['config', without(CONFIG, 'rootfs'), '/rootfs', 'is missing; must be an object with type'],
    ['config', { ...CONFIG, os: 1 }, '/os', 'must be a GOOS value'],
    ['config', { ...CONFIG, architecture: null }, '/architecture', 'must be a GOARCH value'],
    [
      'config',
      { ...CONFIG, created: 'yesterday' },
      '/created',
      'must be a date and time (RFC 3339)'
    ],
    ['config', { ...CONFIG, author: 1 }, '/author', 'must be a string'],
    ['config', { ...CONFIG, variant: 1 }, '/variant', 'must be a string'],
    ['config', { ...CONFIG, 'os.version': 1 }, '/os.version', 'must be a string'],
    ['config', { ...CONFIG, 'os.features': [1] }, '/os.features/0', 'must be a string'],
    ['config', { ...CONFIG, config: [] }, '/config', 'must be an object, found a list'],
    ['config', rootfs({ type: 'tar' }), '/rootfs/type', 'must be "layers", found "tar"'],
    ['config', rootfs({ type: undefined }), '/rootfs/type', 'is missing'],
    ['config', rootfs({ diff_ids: undefined }), '/rootfs/diff_ids', 'is missing'],
    ['config', rootfs({ diff_ids: ['x'] }), '/rootfs/diff_ids/0', 'must be a digest'],
    ['config', rootfs({ diff_ids: {} }), '/rootfs/diff_ids', 'must be a list of digests'],
    ['config', execution({ User: 0 }), '/config/User', 'must be a string, found 0'],
    ['config', execution({ ExposedPorts: ['80'] }), '/config/ExposedPorts', 'found a list'],
    [
      'config',
      execution({ ExposedPorts: { '80/tcp': 1 } }),
      '/config/ExposedPorts/80~1tcp',
      'an empty object'
    ],
    ['config', execution({ Env: 'A=b' }), '/config/Env', 'must be a list of strings'],
    ['config', execution({ Env: [1] }), '/config/Env/0', 'must be a string'],
    ['config', execution({ Entrypoint: 'sh' }), '/config/Entrypoint', 'must be a list of strings'],
    ['config', execution({ Cmd: 'sh' }), '/config/Cmd', 'must be a list of strings, found "sh"'],
    ['config', execution({ Volumes: { '/v': 'x' } }), '/config/Volumes/~1v', 'an empty object'],
    ['config', execution({ WorkingDir: [] }), '/config/WorkingDir', 'must be a string'],
    ['config', execution({ Labels: { a: 1 } }), '/config/Labels/a', 'must be a string'],
    ['config', execution({ StopSignal: 9 }), '/config/StopSignal', 'must be a string'],
    ['config', execution({ ArgsEscaped: 'no' }), '/config/ArgsEscaped', 'must be true or false'],
    ['config', { ...CONFIG, history: {} }, '/history', 'must be a list of history entries'],
    ['config', { ...CONFIG, history: ['x'] }, '/history/0', 'must be a history entry'],
    ['config', history({ created: 1 }), '/history/1/created', 'must be a date and time'],
    ['config', history({ created_by: 1 }), '/history/1/created_by', 'must be a string'],
    ['config', history({ author: 1 }), '/history/1/author', 'must be a string'],
    ['config', history({ comment: 1 }), '/history/1/comment', 'must be a string'],
    ['config', history({ empty_layer: 1 }), '/history/1/empty_layer', 'must be true or false']
  ])('%s %j', (kind, value, pointer, reason) => {
    const error = failure(() => PARSERS[kind](value))
    expect(error.code).toBe('DOCUMENT_INVALID')
    expect(error.facts.file).toBe(kind === 'layout' ? 'oci-layout' : 'f')
    expect(error.facts.pointer).toBe(pointer)
    expect(error.facts.reason).toContain(reason)
  })

  test('shows control characters of a document as escapes', () => {
    const { facts } = failure(() => PARSERS.index({ ...INDEX, annotations: { '\u001b[31m': 1 } }))
    expect(facts.pointer).toBe('/annotations/\\x1b[31m')
  })
})

describe('what Go tools write is read', () => {
  test('takes null for what is optional and drops it', () => {
    const config = PARSERS.config({
      ...CONFIG,
      author: null,
      history: null,
      config: { Cmd: null, Env: null, Labels: null, Volumes: null, OnBuild: null }
    })
    expect(config).toEqual({ ...CONFIG, config: { OnBuild: null } })
  })

  test('takes null for an empty list', () => {
    expect(PARSERS.manifest({ ...MANIFEST, layers: null }).layers).toEqual([])
    expect(PARSERS.index({ ...INDEX, manifests: null }).manifests).toEqual([])
    expect(
      PARSERS.config({ ...CONFIG, rootfs: { type: 'layers', diff_ids: null } }).rootfs
    ).toEqual({
      type: 'layers',
      diff_ids: []
    })
  })

  test('keeps unknown fields and integers beyond 2^53 at every level', () => {
    const text = `{"schemaVersion":2,"x":9223372036854775807,"config":{"mediaType":"a/b","digest":"${DIGEST}","size":2,"y":{"z":-9223372036854775808}},"layers":[]}`
    expect(PARSERS.manifest(text)).toMatchObject({
      x: 9223372036854775807n,
      config: { y: { z: -9223372036854775808n } }
    })
  })

  test.each([
    '2026-11-21T02:16:53Z',
    '0001-01-01T00:00:00Z',
    '1997-03-25T13:40:00.123456789+01:00'
  ])('takes the date %s and keeps its text', (created) => {
    expect(PARSERS.config({ ...CONFIG, created }).created).toBe(created)
  })

  test('takes descriptors of unknown media types and digest algorithms', () => {
    const foreign = {
      mediaType: 'application/x',
      digest: 'multihash+base58:QmRZxt2b1FVZPNqd8',
      size: 0
    }
    expect(PARSERS.index({ ...INDEX, manifests: [foreign], subject: foreign }).manifests).toEqual([
      foreign
    ])
  })

  test('takes 1.x layouts', () => {
    expect(PARSERS.layout({ imageLayoutVersion: '1.1.0' }).imageLayoutVersion).toBe('1.1.0')
  })
})

describe('layerDiffIds', () => {
  test.each([0, 2])('refuses %i diff ids for one layer, with both counts', (count) => {
    const ids = Array.from({ length: count }, () => DIGEST)
    const config = PARSERS.config({ ...CONFIG, rootfs: { type: 'layers', diff_ids: ids } })
    const error = failure(() => layerDiffIds(PARSERS.manifest(MANIFEST), config, 'config'))
    expect(error.facts).toEqual({
      file: 'config',
      pointer: '/rootfs/diff_ids',
      reason: `has ${count} entries, but the manifest has 1 layers`
    })
  })
})

describe('the schemas', () => {
  const names = readdirSync('schemas')

  const ours = ['hooks.schema.json']

  test.each(names)('%s names its dialect, and its section of a specification', (name) => {
    const schema = JSON.parse(readFileSync(`schemas/${name}`, 'utf8')) as Record<string, string>
    expect(schema).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: name
    })
    if (!ours.includes(name))
      expect(schema['$comment']).toMatch(/^(?:docker-)?image-spec [a-z-]+\.md, section /)
  })

  test.each(names)('%s describes every rule, so that every error has words', (name) => {
    const bare: string[] = []
    findBare(JSON.parse(readFileSync(`schemas/${name}`, 'utf8')), '', bare)
    expect(bare).toEqual([])
  })
})

/** Collects the schemas that can refuse a value without saying what it should have been. */
function findBare(schema: unknown, pointer: string, bare: string[]): void {
  if (typeof schema !== 'object' || schema === null) return
  const rules = ['type', 'const', 'enum', 'pattern', 'not', '$ref']
  const named = 'description' in schema
  const isRule =
    rules.some((rule) => rule in schema) && !/\/(properties|\$defs|if|then)$/.test(pointer)
  if (isRule && !named) bare.push(pointer)
  for (const [key, value] of Object.entries(schema)) findBare(value, `${pointer}/${key}`, bare)
}

describe('an index with entries that are not valid', () => {
  const big = '9223372036854775807'
  const odd = [
    'null',
    '5',
    '"text"',
    '[]',
    '{}',
    `{"digest":"${DIGEST}"}`,
    `{"mediaType":"a/b","digest":"md5:x y","size":${big}}`,
    `{"mediaType":"a/b","digest":"${DIGEST}","size":-1,"annotations":{"z":1,"a":[${big}]}}`
  ]
  const good = (name: string): string =>
    `{"mediaType":"${OCI_CONFIG}","digest":"sha256:${name.repeat(64)}","size":1}`
  const text = `{"schemaVersion":2,"manifests":[${[odd[0], good('a'), ...odd.slice(1, 5), good('b'), ...odd.slice(5)].join(',')}]}`

  test('has the others, and knows what is wrong with each odd one', () => {
    const index = parseIndex(Buffer.from(text), { file: 'f' })
    expect(index.manifests.map(({ digest }) => digest.slice(7, 8))).toEqual(['a', 'b'])
    expect(oddEntries(index).map(({ fault }) => fault.facts.pointer)).toEqual([
      '/manifests/0',
      '/manifests/2',
      '/manifests/3',
      '/manifests/4',
      '/manifests/5/mediaType',
      '/manifests/7/mediaType',
      '/manifests/8/digest',
      '/manifests/9/size'
    ])
  })

  test('is written as it was', () => {
    const index = parseIndex(Buffer.from(text), { file: 'f' })
    expect(indexBytes(index).toString()).toBe(`${text}\n`)
    const fewer = { ...index, manifests: index.manifests.slice(1) }
    const kept = [odd[0], good('b'), ...odd.slice(1)].join(',')
    expect(indexBytes(fewer).toString()).toBe(`{"schemaVersion":2,"manifests":[${kept}]}\n`)
  })
})
