import { describe, expect, test } from 'vitest'
import {
  changeConfig,
  changeManifest,
  changePlatform,
  type ClearKey,
  type ConfigChanges
} from '../../src/image/config-changes.ts'
import { parseConfig, parseManifest } from '../../src/image/documents.ts'
import { configBytes } from '../../src/image/serialise.ts'
import type { ExecutionConfig } from '../../src/image/types.ts'
import { failure } from '../support/failure.ts'

const BARE = parse({})

const FULL = parse({
  created: '2026-01-01T00:00:00Z',
  author: 'A',
  variant: 'v8',
  config: {
    User: 'u',
    ExposedPorts: { '80/tcp': {} },
    Env: ['A=1', 'B=2', 'A=3', 'odd'],
    Entrypoint: ['/e'],
    Cmd: ['c'],
    Volumes: { '/v': {} },
    WorkingDir: '/w',
    Labels: { l: '1', m: '2' },
    StopSignal: 'SIGINT',
    Healthcheck: { Test: ['NONE'] }
  }
})

describe('changeConfig', () => {
  test.each<[string, ConfigChanges, object]>([
    ['created', { created: '2026-02-03T04:05:06.10+00:00' }, { created: '2026-02-03T04:05:06.1Z' }],
    ['author', { author: 'B' }, { author: 'B' }],
    ['os', { os: 'freebsd' }, { os: 'freebsd' }],
    ['osVersion', { osVersion: '10.0' }, { 'os.version': '10.0' }],
    ['architecture', { architecture: 'arm' }, { architecture: 'arm' }],
    ['variant', { variant: 'v7' }, { variant: 'v7' }]
  ])('sets %s, and nothing else', (_name, changes, expected) => {
    expect(changeConfig(BARE, changes)).toEqual({ ...BARE, ...expected })
    expect(changeConfig(FULL, changes)).toEqual({ ...FULL, ...expected })
  })

  test.each<[string, ConfigChanges, ExecutionConfig, ExecutionConfig]>([
    ['user', { user: '1:2' }, { User: '1:2' }, { User: '1:2' }],
    ['workingDir', { workingDir: 'w/../x' }, { WorkingDir: 'w/../x' }, { WorkingDir: 'w/../x' }],
    ['stopSignal', { stopSignal: '9' }, { StopSignal: '9' }, { StopSignal: '9' }],
    [
      'exposedPorts, beside those that are there',
      { exposedPorts: ['80/tcp', '53/udp', '53/udp'] },
      { ExposedPorts: { '80/tcp': {}, '53/udp': {} } },
      { ExposedPorts: { '80/tcp': {}, '53/udp': {} } }
    ],
    [
      'volumes, beside those that are there',
      { volumes: ['/x'] },
      { Volumes: { '/x': {} } },
      { Volumes: { '/v': {}, '/x': {} } }
    ],
    [
      'variables in their place or at the end, once',
      { env: ['C=5', 'A=4', 'C=6', 'D='] },
      { Env: ['C=6', 'A=4', 'D='] },
      { Env: ['A=4', 'B=2', 'odd', 'C=6', 'D='] }
    ],
    [
      'entrypoint, all of it',
      { entrypoint: ['a', ''] },
      { Entrypoint: ['a', ''] },
      { Entrypoint: ['a', ''] }
    ],
    ['cmd, all of it', { cmd: ['-c', '-c'] }, { Cmd: ['-c', '-c'] }, { Cmd: ['-c', '-c'] }],
    [
      'labels, beside those that are there',
      { labels: { l: '=', ['__proto__']: 'x', n: '' } },
      { Labels: { l: '=', ['__proto__']: 'x', n: '' } },
      { Labels: { l: '=', m: '2', ['__proto__']: 'x', n: '' } }
    ]
  ])('sets %s', (_name, changes, onBare, onFull) => {
    expect(changeConfig(BARE, changes)).toEqual({ ...BARE, config: onBare })
    expect(changeConfig(FULL, changes)).toEqual({ ...FULL, config: { ...FULL.config, ...onFull } })
  })

  test.each<[keyof ConfigChanges, string]>([
    ['author', 'author'],
    ['variant', 'variant'],
    ['user', 'config.User'],
    ['workingDir', 'config.WorkingDir'],
    ['stopSignal', 'config.StopSignal']
  ])('leaves the field of an empty %s out', (name, field) => {
    expect(FULL).toHaveProperty(field)
    expect(changeConfig(FULL, { [name]: '' })).not.toHaveProperty(field)
  })

  test.each([
    ['config.labels', 'Labels'],
    ['config.exposedports', 'ExposedPorts'],
    ['config.env', 'Env'],
    ['config.volume', 'Volumes'],
    ['config.cmd', 'Cmd'],
    ['config.entrypoint', 'Entrypoint']
  ] as const)('clears %s', (key, field) => {
    const others = { ...FULL.config, [field]: undefined }
    expect(changeConfig(FULL, { clear: [key, key] }).config).toEqual(others)
    expect(changeConfig(BARE, { clear: [key] })).toEqual(BARE)
  })

  test('clears before it sets', () => {
    const changes: ConfigChanges = {
      clear: ['config.env', 'config.labels', 'config.volume', 'config.exposedports'],
      env: ['A=9'],
      labels: { k: '' },
      volumes: ['/x'],
      exposedPorts: ['1']
    }
    expect(changeConfig(FULL, changes).config).toEqual({
      ...FULL.config,
      Env: ['A=9'],
      Labels: { k: '' },
      Volumes: { '/x': {} },
      ExposedPorts: { '1': {} }
    })
  })

  test.each<[string, ConfigChanges]>([
    ['nothing', {}],
    ['empty lists', { env: [], labels: {}, volumes: [], exposedPorts: [], clear: [] }]
  ])('changes nothing where %s is given', (_name, changes) => {
    expect(changeConfig(FULL, changes)).toEqual(FULL)
    expect(changeConfig(BARE, changes)).toEqual(BARE)
  })

  test('keeps what it does not know, big integers too', () => {
    const big = parse({ x: { y: 'BIG' }, config: { Healthcheck: { Interval: 'BIG' } } })
    const text = configBytes(changeConfig(big, { user: 'u', author: 'A' })).toString()
    expect(text).toContain('"x":{"y":9223372036854775807}')
    expect(text).toContain('"config":{"User":"u","Healthcheck":{"Interval":9223372036854775807}}')
  })

  test.each<[string, ConfigChanges]>([
    ['a variable without =', { env: ['A=1', 'B'] }],
    ['a variable without a name', { env: ['=x'] }],
    ['a label without a name', { labels: { '': 'x' } }],
    ['an empty port', { exposedPorts: [''] }],
    ['an empty volume', { volumes: ['/x', ''] }],
    ['a date that is none', { created: '2026-02-30T00:00:00Z' }],
    ['no os', { os: '' }],
    ['no architecture', { architecture: '' }]
  ])('refuses %s', (_name, changes) => {
    expect(failure(() => changeConfig(FULL, changes))?.code).toBe('USAGE')
  })
})

describe('changeManifest', () => {
  const manifest = parseManifest(
    Buffer.from(
      `{"schemaVersion":2,"x":1,"config":${descriptor()},"layers":[],"annotations":{"a":"1","b":"2"}}`
    ),
    { file: '' }
  )

  test('adds annotations to those that are there', () => {
    const changed = changeManifest(manifest, { annotations: { b: '3', c: '' } })
    expect(changed).toEqual({ ...manifest, annotations: { a: '1', b: '3', c: '' } })
  })

  test('clears them first', () => {
    const others = { ...manifest, annotations: undefined }
    expect(changeManifest(manifest, { clear: ['manifest.annotations'] })).toEqual(others)
    expect(
      changeManifest(manifest, { clear: ['manifest.annotations'], annotations: { c: '4' } })
    ).toEqual({ ...manifest, annotations: { c: '4' } })
  })

  test('leaves them alone where labels are changed or cleared', () => {
    expect(changeManifest(manifest, { clear: ['config.labels'], labels: { a: 'x' } })).toEqual(
      manifest
    )
  })

  test('refuses one without a name', () => {
    expect(failure(() => changeManifest(manifest, { annotations: { '': 'x' } }))?.code).toBe(
      'USAGE'
    )
  })

  function descriptor(): string {
    const digest = `sha256:${'0'.repeat(64)}`
    return JSON.stringify({ mediaType: 'a/b', digest, size: 0 })
  }
})

test('changePlatform changes what a platform has, and keeps the rest', () => {
  const platform = { os: 'linux', architecture: 'arm', variant: 'v7', 'os.features': ['x'] }
  expect(
    changePlatform(platform, { architecture: 'amd64', variant: '', osVersion: '1', author: 'A' })
  ).toEqual({ os: 'linux', architecture: 'amd64', 'os.version': '1', 'os.features': ['x'] })
})

describe('a key to clear', () => {
  const clear = (key: string): ReturnType<typeof failure> =>
    failure(() => changeConfig(FULL, { clear: [key as ClearKey] }))

  test.each(['', 'config.volumes', 'Labels', 'toString'])(
    'is not %j, and others are listed',
    (key) => {
      expect(clear(key)?.code).toBe('USAGE')
      expect(clear(key)?.facts.available).toContain('config.labels, config.exposedports')
    }
  )

  test('is not the diff ids, and it is said why', () => {
    expect(clear('rootfs.diffids')?.facts.reason).toContain('unpacked')
  })
})

/** A config as stored; `"BIG"` is the largest number of 64 bits. */
function parse(fields: object): ReturnType<typeof parseConfig> {
  const config = {
    os: 'linux',
    architecture: 'arm64',
    rootfs: { type: 'layers', diff_ids: [] },
    ...fields
  }
  const text = JSON.stringify(config).replaceAll('"BIG"', '9223372036854775807')
  return parseConfig(Buffer.from(text), { file: '' })
}
