/** What `stat` prints for odd images, to the byte: the sections of umoci 0.6, without its faults. */
import { mkdirSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { formatStat } from '../../src/cli/format-stat.ts'
import { statImage } from '../../src/engine/stat-image.ts'
import { sha256, storeJson, writeIndex, type Descriptor } from '../support/image-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const INDEX = 'application/vnd.oci.image.index.v1+json'
const CONFIG = 'application/vnd.oci.image.config.v1+json'
const LAYER = 'application/vnd.oci.image.layer.v1.tar'

let layout: string
beforeEach(() => {
  layout = makeTemporary()
  mkdirSync(`${layout}/blobs/sha256`, { recursive: true })
})
afterEach(() => removeTemporary(layout))

/** The digest of what these letters say; nothing reads layers here. */
const digest = (name: string): string => sha256(Buffer.from(name))
const layer = (name: string, more: object = {}): object => ({
  mediaType: LAYER,
  digest: digest(name),
  size: 10_240,
  ...more
})
const config = (more: object = {}): object => ({
  architecture: 'amd64',
  os: 'linux',
  rootfs: { type: 'layers', diff_ids: [] },
  ...more
})

interface Parts {
  /** Stored as an OCI config, if it is not a descriptor. */
  config?: object | Descriptor
  manifest?: object
  /** Of the entry in index.json. */
  entry?: object
}

interface Stored {
  config: Descriptor
  manifest: Descriptor
}

function store(parts: Parts): Stored {
  const given = parts.config ?? config()
  const described = isDescriptor(given) ? given : storeJson(layout, CONFIG, given)
  const manifest = storeJson(layout, MANIFEST, {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: described,
    layers: [],
    ...parts.manifest
  })
  writeIndex(layout, [tagged({ ...manifest, ...parts.entry })])
  return { config: described, manifest }
}

function isDescriptor(value: object): value is Descriptor {
  return 'digest' in value
}

function tagged(descriptor: object): object {
  return { ...descriptor, annotations: { 'org.opencontainers.image.ref.name': 'latest' } }
}

async function shown(part: 'everything' | 'history' = 'everything'): Promise<string> {
  return formatStat(await statImage({ image: layout }), part)
}

/** The lines of a descriptor of a document. */
function lines({ mediaType, digest, size }: Descriptor, depth: string): string {
  return [
    'Descriptor:',
    `\tMedia Type: ${mediaType}`,
    `\tDigest: ${digest}`,
    `\tSize: ${size < 1000 ? `${size}B` : `${size / 1000}kB`}`
  ]
    .map((line) => `${depth}${line}\n`)
    .join('')
}

const TAG_LINES = '\tAnnotations:\n\t\torg.opencontainers.image.ref.name: latest\n'

/** The whole text, where only these parts of it are of interest. */
function expected(
  stored: Stored,
  parts: { config: string; layers?: string; manifest?: string; history?: string; entry?: string }
): string {
  return (
    `== MANIFEST ==\nSchema Version: 2\nMedia Type: ${MANIFEST}\n` +
    `Config:\n${lines(stored.config, '\t')}${parts.layers ?? ''}${parts.manifest ?? ''}` +
    `${lines(stored.manifest, '')}${parts.entry ?? ''}${TAG_LINES}\n` +
    `== CONFIG ==\n${parts.config}${lines(stored.config, '')}\n` +
    `== HISTORY ==\n${parts.history ?? 'LAYER CREATED CREATED BY SIZE COMMENT\n'}`
  )
}

const PLATFORM = 'Platform:\n\tOS: linux\n\tArchitecture: amd64\n'
const EMPTY = `Author: ""\n${PLATFORM}Image Config:\n\tUser: ""\n\tCommand: (empty)\n`

/** Each differs from an image without any settings in one respect. */
const CONFIGS: readonly [name: string, config: object, text: string][] = [
  ['nothing that is optional', config(), EMPTY],
  ...(
    [
      ['2024-01-02T03:04:05.120+02:00', '2024-01-02T03:04:05.12+02:00'],
      ['2024-01-02T03:04:05.000+00:00', '2024-01-02T03:04:05Z'],
      ['2024-01-02T03:04:05-00:00', '2024-01-02T03:04:05Z'],
      ['2024-01-02T03:04:05.1234567891Z', '2024-01-02T03:04:05.123456789Z'],
      ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z']
    ] as const
  ).map(([created, normal]): [string, object, string] => [
    `a date of the form ${created}`,
    config({ created }),
    `Created: ${normal}\n${EMPTY}`
  ]),
  [
    'all fields of a platform',
    config({ variant: 'v 3', 'os.version': '10.0', 'os.features': ['a', 'b,c', 'd e'] }),
    EMPTY.replace(
      '\tArchitecture: amd64',
      '\tOS Version: 10.0\n\tOS Features: a, "b,c", "d e"\n\tArchitecture: amd64 (v 3)'
    )
  ],
  [
    'text that would be read as something else',
    config({
      author: 'a\u00a0b',
      config: { User: 'a"b', WorkingDir: '/a\nb', StopSignal: '\x7f' }
    }),
    EMPTY.replace('Author: ""', 'Author: "a\\u00a0b"').replace(
      '\tUser: ""\n\tCommand: (empty)\n',
      '\tUser: "a\\"b"\n\tCommand: (empty)\n\tWorking Directory: "/a\\nb"\n\tStop Signal: "\\x7f"\n'
    )
  ],
  [
    'characters beyond ASCII, and half of one',
    config({ author: 'Ünï🙂', config: { User: '\u200b\u{e0001}', Cmd: ['\ud83d'] } }),
    EMPTY.replace('Author: ""', 'Author: Ünï🙂').replace(
      '\tUser: ""\n\tCommand: (empty)\n',
      '\tUser: "\\u200b\\U000e0001"\n\tCommand:\n\t\t\ufffd\n'
    )
  ],
  [
    'lists with empty members, and maps with odd keys',
    config({
      config: {
        ArgsEscaped: true,
        Entrypoint: ['', 'a,b'],
        Env: ['A=b c', 'PATH=/bin'],
        Labels: { '10': 'x', '9': 'y', '': '', 'a b': 'c,d', é: 'z' },
        ExposedPorts: { '80/tcp': {}, '443/tcp': {} },
        Volumes: { '/b c': {}, '/a': {} }
      }
    }),
    EMPTY.replace(
      '\tCommand: (empty)\n',
      '\tEntrypoint (escaped):\n\t\t""\n\t\ta,b\n\tCommand (escaped): (empty)\n' +
        '\tEnvironment:\n\t\t"A=b c"\n\t\tPATH=/bin\n' +
        '\tExposed Ports: 443/tcp, 80/tcp\n\tVolumes: /a, "/b c"\n' +
        '\tLabels:\n\t\t"": ""\n\t\t10: x\n\t\t9: y\n\t\t"a b": "c,d"\n\t\té: z\n'
    )
  ],
  [
    'empty and null where nothing is meant',
    config({
      author: null,
      history: null,
      config: { Entrypoint: [], Cmd: null, Env: [], Labels: {}, Volumes: null, WorkingDir: '' }
    }),
    EMPTY
  ]
]

describe('the config', () => {
  test.each(CONFIGS)('with %s', async (_name, document, text) => {
    const stored = store({ config: document })
    expect(await shown()).toBe(expected(stored, { config: text }))
  })
})

describe('descriptors', () => {
  test('with all that they can have: the platform is indented, bytes beyond ASCII are dots', async () => {
    const data = Buffer.from('é\0 ~\x7f and more than a line, 0123456789')
    const stored = store({
      manifest: {
        artifactType: 'a/b',
        layers: [
          layer('one', {
            artifactType: 'c/d',
            urls: ['https://x/y z', ''],
            annotations: { b: '', a: '1,2' },
            data: data.toString('base64'),
            platform: { os: 'linux', architecture: 'arm', variant: 'v7' }
          }),
          layer('two', { size: 999_999 }),
          layer('three', { size: 8_000_000_000_000_000 })
        ],
        subject: { mediaType: MANIFEST, digest: digest('subject'), size: 0 },
        annotations: { z: 'last', A: 'first one' }
      },
      entry: { platform: { os: 'linux', architecture: 'amd64', 'os.version': '1' } }
    })
    const plain = (name: string, size: string): string =>
      `\tDescriptor:\n\t\tMedia Type: ${LAYER}\n\t\tDigest: ${digest(name)}\n\t\tSize: ${size}\n`
    const text = expected(stored, {
      config: EMPTY,
      layers:
        `Layers:\n\tDescriptor:\n\t\tMedia Type: ${LAYER}\n\t\tArtifact Type: c/d\n` +
        `\t\tDigest: ${digest('one')}\n\t\tSize: 10.24kB\n` +
        '\t\tPlatform:\n\t\t\tOS: linux\n\t\t\tArchitecture: arm (v7)\n' +
        '\t\tURLs:\n\t\t\t"https://x/y z"\n\t\t\t""\n' +
        '\t\tAnnotations:\n\t\t\ta: "1,2"\n\t\t\tb: ""\n' +
        '\t\tData: (39 bytes)\n' +
        '\t\t\t0000: c3a9 0020 7e7f 2061 6e64 206d 6f72 6520  ... ~. and more \n' +
        '\t\t\t0010: 7468 616e 2061 206c 696e 652c 2030 3132  than a line, 012\n' +
        '\t\t\t0020: 3334 3536 3738 39                        3456789\n' +
        plain('two', '1000kB') +
        plain('three', '8PB'),
      manifest:
        `Subject:\n\tDescriptor:\n\t\tMedia Type: ${MANIFEST}\n\t\tDigest: ${digest('subject')}\n` +
        '\t\tSize: 0B\nAnnotations:\n\tA: "first one"\n\tz: last\n',
      entry: '\tPlatform:\n\t\tOS: linux\n\t\tOS Version: 1\n\t\tArchitecture: amd64\n'
    }).replace(
      `Media Type: ${MANIFEST}\nConfig`,
      `Media Type: ${MANIFEST}\nArtifact Type: a/b\nConfig`
    )
    expect(await shown()).toBe(text)
  })
})

describe('a config of a foreign type', () => {
  const data = '{"a": "<b>"}'
  const foreign = (text: string): Descriptor & { data: string } => ({
    mediaType: 'application/vnd.example+json',
    digest: digest(text),
    size: text.length,
    data: Buffer.from(text).toString('base64')
  })

  test('that is embedded is shown as a descriptor, without a history', async () => {
    const { config: descriptor, manifest } = store({ config: foreign(data) })
    const dump =
      '\tData: (12 bytes)\n\t\t0000: 7b22 6122 3a20 223c 623e 227d            {"a": "<b>"}\n'
    const inside = `${lines(descriptor, '\t')}${dump.replaceAll(/^/gm, '\t').slice(0, -1)}`
    expect(await shown()).toBe(
      `== MANIFEST ==\nSchema Version: 2\nMedia Type: ${MANIFEST}\nConfig:\n${inside}` +
        `${lines(manifest, '')}${TAG_LINES}\n== CONFIG ==\n${lines(descriptor, '')}${dump}`
    )
  })

  test('that is a blob of its own is not read', async () => {
    const { mediaType, digest, size } = foreign(data)
    const descriptor = { mediaType, digest, size }
    const { manifest } = store({ config: descriptor })
    expect(await shown()).toBe(
      `== MANIFEST ==\nSchema Version: 2\nMedia Type: ${MANIFEST}\nConfig:\n${lines(descriptor, '\t')}` +
        `${lines(manifest, '')}${TAG_LINES}`
    )
  })

  test('shows only the first bytes of much data', async () => {
    store({ config: foreign('x'.repeat(300)) })
    const text = await shown()
    expect(text.split('\n').filter((line) => /^\t\t00[0-9a-f]0: /.test(line))).toHaveLength(16)
    expect(text).toContain('\tData: (300 bytes)\n')
    expect(text).toMatch(/\n\t\t\.{4} {2}\(extra 44 bytes omitted\)\n$/)
  })

  test('is refused if it is not what the digest says', async () => {
    store({ config: { ...foreign(data), digest: digest('other') } })
    await expect(shown()).rejects.toMatchObject({ code: 'BLOB_DIGEST_MISMATCH' })
  })
})

describe('artifacts of other tools', () => {
  const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json'
  /** What follows the manifest. */
  const afterManifest = async (): Promise<string> => {
    const text = await shown()
    return text.slice(text.indexOf('\n== CONFIG ==\n') + 1)
  }

  test('a signature of cosign', async () => {
    const date = '0001-01-01T00:00:00Z'
    const signature = config({
      architecture: '',
      os: '',
      created: date,
      history: [{ created: date }],
      rootfs: { type: 'layers', diff_ids: [digest('signature')] },
      config: {}
    })
    const stored = store({
      config: signature,
      manifest: { layers: [layer('signature', { size: 241 })] }
    })
    expect(await afterManifest()).toBe(
      `== CONFIG ==\nCreated: ${date}\nAuthor: ""\nPlatform:\n\tOS: ""\n\tArchitecture: ""\n` +
        `Image Config:\n\tUser: ""\n\tCommand: (empty)\n${lines(stored.config, '')}\n== HISTORY ==\n` +
        `${'LAYER'.padEnd(72)}CREATED              CREATED BY SIZE COMMENT\n` +
        `${digest('signature')} ${date}            241B \n`
    )
  })

  test('an artifact of oras, whose config is the empty object, embedded or not', async () => {
    const empty = storeJson(layout, EMPTY_TYPE, {})
    store({ config: { ...empty, data: 'e30=' }, manifest: { artifactType: 'a/b' } })
    const dump = `\tData: (2 bytes)\n\t\t0000: 7b7d${' '.repeat(37)}{}\n`
    expect(await afterManifest()).toBe(`== CONFIG ==\n${lines(empty, '')}${dump}`)
    store({ config: empty, manifest: { artifactType: 'a/b' } })
    expect(await afterManifest()).toBe(`== CONFIG ==\n${lines(empty, '')}`)
  })
})

describe('the history', () => {
  const history = [
    { created: '2024-01-02T03:04:05.100Z', created_by: 'a\tb "c"', comment: 'é' },
    { created: '2024-01-02T03:04:05+00:00', empty_layer: true, created_by: '' },
    { created_by: 'x\x1b[2J' },
    { created: '2024-01-02T03:04:06Z', author: 'me' }
  ]
  const HEADING = ['LAYER', 'CREATED', 'CREATED BY', 'SIZE', 'COMMENT']
  /** All cells but the last of a row have these widths. */
  const table = (widths: number[], ...rows: string[][]): string =>
    rows.map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('') + '\n').join('')

  test('shows what there is, where umoci panics: entries without a date or a layer', async () => {
    store({
      config: config({ history }),
      manifest: { layers: [layer('one'), layer('two', { size: 5 })] }
    })
    const [, text] = (await shown()).split('\n== HISTORY ==\n')
    expect(text).toBe(
      table(
        [72, 23, 13, 8],
        HEADING,
        [digest('one'), '2024-01-02T03:04:05.1Z', '"a\\tb \\"c\\""', '10.24kB', 'é'],
        ['<none>', '2024-01-02T03:04:05Z', '', '<none>', ''],
        [digest('two'), '<none>', '"x\\x1b[2J"', '5B', ''],
        ['<none>', '2024-01-02T03:04:06Z', '', '<none>', '']
      )
    )
  })

  test('alone is the table of umoci 0.4', async () => {
    store({ config: config({ history: [history[0], history[2]] }) })
    expect(await shown('history')).toBe(
      table(
        [7, 23, 11, 7],
        HEADING,
        ['<none>', '2024-01-02T03:04:05.1Z', 'a b "c"', '<none>', 'é'],
        ['<none>', '<none>', 'x\\x1b[2J', '<none>', '']
      )
    )
  })
})

describe('a tag that names an index', () => {
  const platform = { os: 'linux', architecture: 'amd64' }
  const attestation = {
    mediaType: MANIFEST,
    digest: digest('attestation'),
    size: 1,
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest' }
  }

  function tagIndex(manifests: readonly object[]): Descriptor {
    const index = storeJson(layout, INDEX, { schemaVersion: 2, mediaType: INDEX, manifests })
    writeIndex(layout, [tagged(index)])
    return index
  }

  test.each([
    ['as docker save and skopeo write it', (image: object) => [image]],
    ['with an attestation beside it, as buildx writes it', (image: object) => [image, attestation]],
    [
      'in an index of its own',
      (image: object) => [
        storeJson(layout, INDEX, { schemaVersion: 2, mediaType: INDEX, manifests: [image] })
      ]
    ]
  ])('with one image is shown as the image: %s', async (_name, manifests) => {
    const stored = store({})
    tagIndex(manifests({ ...stored.manifest, platform }))
    const inIndex = '\tPlatform:\n\t\tOS: linux\n\t\tArchitecture: amd64\n'
    expect(await shown()).toBe(
      expected(stored, { config: EMPTY, entry: inIndex }).replace(TAG_LINES, '')
    )
    expect(await shown('history')).toBe('LAYER CREATED CREATED BY SIZE COMMENT\n')
  })

  test('with several shows each below its platform and digest', async () => {
    const { manifest } = store({})
    const absent = { ...manifest, digest: digest('absent') }
    tagIndex([
      { ...manifest, platform },
      { ...absent, platform: { ...platform, architecture: 'arm', variant: 'v7' } }
    ])
    const image = expected(
      { config: storeJson(layout, CONFIG, config()), manifest },
      { config: EMPTY }
    )
    expect(await shown()).toBe(
      `linux/amd64 ${manifest.digest}\n` +
        image.replace(TAG_LINES, '\tPlatform:\n\t\tOS: linux\n\t\tArchitecture: amd64\n') +
        `\nlinux/arm/v7 ${absent.digest}\nnot in this layout\n`
    )
  })

  test('whose only image is not in the layout shows that', async () => {
    const absent = { mediaType: MANIFEST, digest: digest('absent'), size: 1, platform }
    tagIndex([absent])
    expect(await shown()).toBe(`linux/amd64 ${absent.digest}\nnot in this layout\n`)
  })
})
