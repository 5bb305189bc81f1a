import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  assertDescriptor,
  assertExecution,
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
import type { Descriptor } from '../../src/image/types.ts'
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

const without = (value: Value, key: string): Value =>
  Object.fromEntries(Object.entries(value).filter(([name]) => name !== key))

describe('a bad document is refused with the place and the reason', () => {
  test.each<[keyof typeof PARSERS, unknown, string, string]>([
    ['layout', [], '', 'must be an object, found a list'],
    ['layout', {}, '/imageLayoutVersion', 'is missing; must be a layout version 1.x.y'],
    ['layout', { imageLayoutVersion: '2.0.0' }, '/imageLayoutVersion', 'found "2.0.0"'],
    ['layout', { imageLayoutVersion: 1 }, '/imageLayoutVersion', 'found 1'],

    ['index', 'null', '', 'must be an object, found null'],
    ['index', '{', '', 'is not JSON'],
    ['index', without(INDEX, 'manifests'), '/manifests', 'is missing; must be a list'],
    [
      'index',
      { ...INDEX, manifests: {} },
      '/manifests',
      'must be a list of descriptors, found an object'
    ],
    ['index', { ...INDEX, manifests: [null] }, '/manifests/0', 'found null'],
    ['index', { ...INDEX, mediaType: OCI_MANIFEST }, '/mediaType', 'as its descriptor says'],
    ['index', { ...INDEX, config: DESCRIPTOR }, '/config', 'must be absent'],
    ['index', { ...INDEX, layers: [] }, '/layers', 'must be absent'],

    ['manifest', '[]', '', 'must be an object'],
    [
      'manifest',
      without(MANIFEST, 'config'),
      '/config',
      'is missing; must be a content descriptor'
    ],
    ['manifest', { ...MANIFEST, config: null }, '/config', 'found null'],
    ['manifest', { ...MANIFEST, config: { ...DESCRIPTOR, size: -1 } }, '/config/size', 'found -1'],
    ['manifest', { ...MANIFEST, layers: 1 }, '/layers', 'must be a list of descriptors'],
    ['manifest', { ...MANIFEST, layers: [{}] }, '/layers/0/digest', 'is missing'],
    ['manifest', { ...MANIFEST, mediaType: OCI_INDEX }, '/mediaType', 'as its descriptor says'],
    ['manifest', { ...MANIFEST, manifests: [] }, '/manifests', 'must be absent'],
    ['manifest', { ...MANIFEST, manifests: null }, '/manifests', 'must be absent'],

    ['config', 'true', '', 'must be an object, found true'],
    ['config', '[]', '', 'must be an object, found a list']
  ])('%s %j', (kind, value, pointer, reason) => {
    const error = failure(() => PARSERS[kind](value))
    expect(error.code).toBe('DOCUMENT_INVALID')
    expect(error.facts.file).toBe(kind === 'layout' ? 'oci-layout' : 'f')
    expect(error.facts.pointer).toBe(pointer)
    expect(error.facts.reason).toContain(reason)
  })

  test('shows control characters of a document as escapes', () => {
    const { facts } = failure(() => PARSERS.layout({ imageLayoutVersion: '\u009b31m' }))
    expect(facts.reason).toContain('found "\\x9b31m"')
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

describe('a field that is not as its specification says', () => {
  type Case = [pointer: string, change: Value, becomes?: Value]

  const execution = (change: Value): Value => ({ config: change })
  const history = (change: Value): Value => ({ history: [{}, change] })

  test.each<Case>([
    ['/created', { created: '' }],
    ['/created', { created: 'yesterday' }],
    ['/created', { created: 1700000000 }],
    ['/author', { author: 1 }],
    ['/os', { os: 1 }, { os: '' }],
    ['/architecture', { architecture: ['amd64'] }, { architecture: '' }],
    ['/variant', { variant: 1 }],
    ['/os.version', { 'os.version': 1 }],
    ['/os.features', { 'os.features': [1] }],
    ['/config', { config: [] }],
    ['/config/User', execution({ User: 0 }), execution({})],
    ['/config/ExposedPorts', execution({ ExposedPorts: ['80'] }), execution({})],
    ['/config/Env', execution({ Env: { A: 'b' } }), execution({})],
    ['/config/Env', execution({ Env: [1] }), execution({})],
    ['/config/Volumes', execution({ Volumes: ['/v'] }), execution({})],
    ['/config/WorkingDir', execution({ WorkingDir: [] }), execution({})],
    ['/config/Labels', execution({ Labels: ['a=1'] }), execution({})],
    [
      '/config/Labels/a~1b~0c',
      execution({ Labels: { 'a/b~c': 1, d: '2' } }),
      execution({ Labels: { d: '2' } })
    ],
    ['/config/StopSignal', execution({ StopSignal: 9 }), execution({})],
    ['/config/ArgsEscaped', execution({ ArgsEscaped: 'no' }), execution({})],
    ['/rootfs', { rootfs: 'none' }, { rootfs: { type: 'layers', diff_ids: [] } }],
    [
      '/rootfs/diff_ids',
      { rootfs: { type: 'layers', diff_ids: {} } },
      { rootfs: { type: 'layers', diff_ids: [] } }
    ],
    [
      '/rootfs/diff_ids/1',
      { rootfs: { type: 'layers', diff_ids: [DIGEST, 'x'] } },
      { rootfs: { type: 'layers', diff_ids: [DIGEST] } }
    ],
    ['/history', { history: {} }],
    ['/history/0', { history: ['x', {}] }, { history: [{}] }],
    ['/history/1/created', history({ created: 1 }), history({})],
    ['/history/1/created_by', history({ created_by: [] }), history({})],
    ['/history/1/author', history({ author: 1 }), history({})],
    ['/history/1/comment', history({ comment: 1 }), history({})],
    ['/history/1/empty_layer', history({ empty_layer: 1 }), history({})]
  ])('is left out of a config, and told: %s', (pointer, change, becomes) => {
    const misfits: string[] = []
    const source = { file: 'f', mediaType: OCI_CONFIG }
    const config = parseConfig(bytes({ ...CONFIG, ...change }), source, (at) => misfits.push(at))
    const name = Object.keys(change)[0]!
    expect(config).toEqual({ ...without(CONFIG, name), ...becomes })
    expect(misfits).toEqual([pointer])
  })

  test.each<[string, Value, Value]>([
    ['a platform without os', { platform: { architecture: 'arm' } }, {}],
    ['a platform that is text', { platform: 'linux/arm' }, {}],
    [
      'an odd part of a platform',
      { platform: { os: 'linux', architecture: 'arm', variant: 7 } },
      { platform: { os: 'linux', architecture: 'arm' } }
    ],
    ['urls', { urls: [1] }, {}],
    ['data that is not base64', { data: '-_' }, {}],
    ['an artifact type', { artifactType: {} }, {}],
    ['annotations', { annotations: [] }, {}],
    ['an annotation', { annotations: { a: 1, b: '2' } }, { annotations: { b: '2' } }],
    ['null as an annotation', { annotations: { a: null } }, { annotations: { a: '' } }],
    ['no media type', { mediaType: undefined }, { mediaType: '' }],
    ['a media type of no form', { mediaType: 'tar' }, { mediaType: 'tar' }],
    ['a size like 2e0', {}, {}]
  ])('does not stand in the way of a descriptor: %s', (_, change, becomes) => {
    const text = JSON.stringify({ ...DESCRIPTOR, ...change }).replace('"size":2', '"size":2e0')
    const { manifests } = PARSERS.index(`{"manifests":[${JSON.stringify(DESCRIPTOR)},${text}]}`)
    const known = Object.keys(change)[0] ?? ''
    const expected = { ...without(DESCRIPTOR, known), ...becomes }
    expect(manifests).toEqual([DESCRIPTOR, expected])
    const { layers } = PARSERS.manifest(`{"config":${text},"layers":[${text}]}`)
    expect(layers).toEqual([expected])
  })

  test.each<[keyof typeof PARSERS, Value, string]>([
    ['index', { schemaVersion: undefined }, 'no schema version'],
    ['index', { schemaVersion: 1 }, 'another schema version'],
    ['index', { mediaType: undefined }, 'no media type'],
    ['index', { mediaType: '' }, 'an empty media type'],
    ['index', { mediaType: 'application/x-index' }, 'an unknown media type'],
    [
      'index',
      { mediaType: 'application/vnd.docker.distribution.manifest.list.v2+json' },
      "Docker's"
    ],
    ['index', { subject: 1, artifactType: 1, annotations: 'x' }, 'odd optional fields'],
    ['index', { subject: {} }, 'a subject that is not one'],
    ['manifest', { schemaVersion: undefined }, 'no schema version'],
    ['manifest', { schemaVersion: '2' }, 'a schema version that is text'],
    ['manifest', { mediaType: 'application/vnd.docker.distribution.manifest.v2+json' }, "Docker's"],
    ['manifest', { subject: { ...DESCRIPTOR, digest: undefined } }, 'a subject without digest'],
    ['manifest', { annotations: { a: {} }, artifactType: 1 }, 'odd optional fields']
  ])('does not stand in the way of an %s: %j (%s)', (kind, change) => {
    const base = kind === 'index' ? INDEX : MANIFEST
    const read = PARSERS[kind]({ ...base, ...change }) as unknown as Value
    expect(read['schemaVersion']).toBe(2)
    expect(read['manifests'] ?? read['layers']).toEqual([DESCRIPTOR])
    expect(read['subject']).toBeUndefined()
    expect(read['artifactType']).toBeUndefined()
  })

  test('does not make a list of an artifact without layers', () => {
    expect(PARSERS.manifest(without(MANIFEST, 'layers')).layers).toEqual([])
  })
})

describe('what other tools write is read as they mean it', () => {
  const layers = { type: 'layers', diff_ids: [DIGEST] }
  const history = [{ created: '1970-01-01T00:00:00Z' }]

  test.each<[string, Value, Value]>([
    [
      'kaniko, from scratch: no platform (kaniko#997)',
      { architecture: 'amd64', os: '', rootfs: layers, config: { Env: ['A=b'] } },
      { os: '', architecture: 'amd64' }
    ],
    [
      'rules_oci without a base: no architecture (rules_oci#117), dates of year 1 (#438)',
      { os: 'linux', created: '0001-01-01T00:00:00Z', rootfs: layers, history },
      { os: 'linux', architecture: '', history }
    ],
    [
      'jib: an epoch, no config members, comments in the history',
      {
        created: '1970-01-01T00:00:00Z',
        architecture: 'amd64',
        os: 'linux',
        config: { Env: [], Entrypoint: ['java'], ExposedPorts: {}, Labels: {}, Volumes: {} },
        history: [
          { created: '1970-01-01T00:00:01Z', author: 'Jib', created_by: 'jib', comment: 'c' }
        ],
        rootfs: layers
      },
      { config: { Env: [], Entrypoint: ['java'], ExposedPorts: {}, Labels: {}, Volumes: {} } }
    ],
    [
      'ko: more history than layers, author at the top',
      {
        author: 'github.com/ko-build/ko',
        os: 'linux',
        architecture: 'arm64',
        rootfs: layers,
        config: { Cmd: null, User: '65532' },
        history: [...history, ...history]
      },
      { config: { User: '65532' }, history: [...history, ...history] }
    ],
    [
      'buildpacks: created in 1980, labels of JSON',
      {
        created: '1980-01-01T00:00:01Z',
        os: 'linux',
        architecture: 'amd64',
        rootfs: layers,
        config: { Labels: { 'io.buildpacks.lifecycle.metadata': '{"app":[]}' } },
        history: [{}]
      },
      { created: '1980-01-01T00:00:01Z', history: [{}] }
    ],
    [
      'dockerTools: an offset in the date, an empty history entry',
      {
        created: '1970-01-01T00:00:01+00:00',
        os: 'linux',
        architecture: 'amd64',
        rootfs: layers,
        config: { Volumes: { '/data': {} } },
        history: [{ created: null, comment: 'store paths: []' }]
      },
      { created: '1970-01-01T00:00:01+00:00', history: [{ comment: 'store paths: []' }] }
    ],
    [
      'docker, before 1.10: fields of a container',
      {
        id: 'x',
        parent: 'y',
        container_config: { Cmd: null },
        Size: 0,
        docker_version: '1.9',
        os: 'linux',
        architecture: 'amd64',
        config: { Hostname: 'h', OnBuild: null, Cmd: 'sh', Entrypoint: '' },
        rootfs: layers
      },
      { config: { Hostname: 'h', OnBuild: null, Cmd: ['sh'], Entrypoint: [] }, id: 'x' }
    ],
    [
      'a disk image of konflux-ci: only a platform',
      { os: 'linux', architecture: 'amd64' },
      { rootfs: { type: 'layers', diff_ids: [] } }
    ],
    [
      'ORAS and helm: an empty object',
      {},
      { os: '', architecture: '', rootfs: { type: 'layers', diff_ids: [] } }
    ],
    [
      'Go, with null for everything empty',
      {
        architecture: 'amd64',
        os: 'linux',
        config: null,
        history: null,
        created: null,
        author: null,
        rootfs: { type: 'layers', diff_ids: null }
      },
      { rootfs: { type: 'layers', diff_ids: [] } }
    ],
    [
      'sets whose members are not empty objects',
      {
        os: 'linux',
        architecture: 'amd64',
        config: { ExposedPorts: { '80/tcp': null }, Volumes: { '/v': true } }
      },
      { config: { ExposedPorts: { '80/tcp': {} }, Volumes: { '/v': {} } } }
    ]
  ])('%s', (_, stored, expected) => {
    expect(PARSERS.config(stored)).toMatchObject(expected)
  })
})

describe('layerDiffIds', () => {
  const source = { file: 'config' }
  const idsOf = (rootfs: unknown, manifest = MANIFEST): readonly string[] =>
    layerDiffIds(PARSERS.manifest(manifest), bytes({ ...CONFIG, rootfs }), source)

  test.each([0, 2])('refuses %i diff ids for one layer, with both counts', (count) => {
    const ids = Array.from({ length: count }, () => DIGEST)
    expect(failure(() => idsOf({ type: 'layers', diff_ids: ids })).facts).toEqual({
      file: 'config',
      pointer: '/rootfs/diff_ids',
      reason: `has ${count} entries, but the manifest has 1 layers`
    })
  })

  test.each<[unknown, string, string]>([
    [undefined, '/rootfs', 'is missing; must be an object with diff_ids'],
    [null, '/rootfs', 'must be an object with diff_ids'],
    [{ type: 'tar', diff_ids: [DIGEST] }, '/rootfs/type', 'must be "layers", found "tar"'],
    [{ type: 'layers+base', diff_ids: [DIGEST] }, '/rootfs/type', 'must be "layers"'],
    [{ type: 'layers' }, '/rootfs/diff_ids', 'is missing'],
    [{ type: 'layers', diff_ids: ['x'] }, '/rootfs/diff_ids/0', 'must be a digest'],
    [{ type: 'layers', diff_ids: {} }, '/rootfs/diff_ids', 'must be a list of digests']
  ])('refuses %j', (rootfs, pointer, reason) => {
    const { code, facts } = failure(() => idsOf(rootfs))
    expect(code).toBe('DOCUMENT_INVALID')
    expect(facts.pointer).toBe(pointer)
    expect(facts.reason).toContain(reason)
  })

  test.each([{ diff_ids: [DIGEST] }, { type: '', diff_ids: [DIGEST] }])('takes %j', (rootfs) => {
    expect(idsOf(rootfs)).toEqual([DIGEST])
  })

  test('needs none for an image without layers', () => {
    expect(idsOf(undefined, { ...MANIFEST, layers: [] })).toEqual([])
  })
})

describe('assertDescriptor', () => {
  test.each<[Value, string, string]>([
    [{ digest: undefined }, '/digest', 'is missing; must be a digest'],
    [{ digest: 5 }, '/digest', 'found 5'],
    [{ digest: 'sha256:abc' }, '/digest', 'found "sha256:abc"'],
    [{ digest: DIGEST.toUpperCase() }, '/digest', 'lower-case'],
    [{ digest: `${DIGEST}\n` }, '/digest', 'lower-case'],
    [{ digest: `sha512:${'a'.repeat(64)}` }, '/digest', '128'],
    [{ digest: 'sha256:../../etc/passwd' }, '/digest', 'must be'],
    [{ size: undefined }, '/size', 'is missing; must be a whole number'],
    [{ size: -1 }, '/size', 'from 0 to 9007199254740991, found -1'],
    [{ size: 1.5 }, '/size', 'found 1.5'],
    [{ size: '2' }, '/size', 'found "2"'],
    [{ size: 9007199254740993n }, '/size', 'found 9007199254740993'],
    [{ size: 2 ** 53 }, '/size', 'found 9007199254740992']
  ])('refuses %o', (change, pointer, reason) => {
    const descriptor = { ...DESCRIPTOR, ...change } as unknown as Descriptor
    const { code, facts } = failure(() => assertDescriptor(descriptor, 'index.json'))
    expect(code).toBe('DOCUMENT_INVALID')
    expect(facts).toMatchObject({ file: 'index.json', pointer })
    expect(facts.reason).toContain(reason)
  })
})

describe('assertExecution', () => {
  test.each(['User', 'Env', 'Entrypoint', 'Cmd', 'WorkingDir', 'Volumes'])(
    'refuses a setting that cannot be read: %s',
    (name) => {
      const config = bytes({ ...CONFIG, config: { [name]: 0 } })
      const { facts } = failure(() => assertExecution(config, { file: 'config' }))
      expect(facts).toMatchObject({ file: 'config', pointer: `/config/${name}` })
    }
  )

  test('takes odd fields that only describe', () => {
    const config = {
      ...CONFIG,
      created: 'x',
      history: 1,
      config: { Labels: { a: 1 }, StopSignal: 9 }
    }
    expect(() => assertExecution(bytes(config), { file: 'config' })).not.toThrow()
  })
})

describe('the schemas', () => {
  const names = readdirSync('schemas')

  const ours = ['erofs.schema.json', 'hooks.schema.json']

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
      '/manifests/5/digest',
      '/manifests/7/size',
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
