/** `stat` beside Debian's umoci, and what only ours shows. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openLayout } from '../../src/store/layout.ts'
import { blobPath, buildImage, sha256, type BuiltImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { run } from '../support/run.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackOk } from './cli.ts'
import { DEBIAN_NEEDS, debianLayout } from './debian-image.ts'

const HISTORY = [
  { created: '2026-01-01T00:00:00.000Z', created_by: '/bin/sh -c #(nop) CMD ["x"]', comment: 'c' },
  { created: '2026-01-01T00:00:01+00:00', created_by: 'ARG a=<b>&c', empty_layer: true },
  { created: '1997-03-25T13:40:00.120+01:00', author: 'me <ü@x>', created_by: 'a\tb' }
]

let work: string
let built: BuiltImage

beforeEach(() => {
  work = makeTemporary()
  built = buildImage(`${work}/layout`, {
    layers: [tar(file('a', 'a')), tar(file('b', 'b'.repeat(20_000)))],
    config: {
      history: HISTORY,
      author: 'a "b"',
      config: {
        User: '0:0',
        Cmd: ['sh', '-c', 'echo a b'],
        Entrypoint: ['/init'],
        Env: ['PATH=/bin', 'X=a b'],
        ExposedPorts: { '80/tcp': {}, '443/tcp': {} },
        Labels: { z: '1,2', 'a b': '' },
        WorkingDir: '/w'
      }
    },
    manifest: { annotations: { k: 'v' } }
  })
})
afterEach(() => removeTemporary(work))

function umociStat(reference: string, ...flags: string[]): ReturnType<typeof run> {
  return run('umoci', 'stat', ...flags, '--image', reference)
}

describe.runIf(needs('umoci'))('stat', () => {
  test('prints the history that umoci 0.4 prints, to the byte', () => {
    const theirs = umociStat(built.reference)
    expect(theirs.status).toBe(0)
    expect(ociUnpackOk('stat', '--history', '--image', built.reference)).toEqual({
      ...theirs,
      stderr: ''
    })
  })

  test('has the history that umoci has in JSON, to the byte, and the documents as stored', () => {
    const ours = ociUnpackOk('stat', '--json', '--image', built.reference).stdout
    const theirs = umociStat(built.reference, '--json').stdout
    expect(ours.slice(ours.lastIndexOf('"history"'))).toBe(
      theirs.slice(theirs.indexOf('"history"'))
    )
    const { manifest, config } = JSON.parse(ours) as Record<string, { blob: unknown }>
    const stored = (descriptor: BuiltImage['config']): unknown =>
      JSON.parse(readFileSync(blobPath(built.layout, descriptor), 'utf8'))
    expect(manifest).toEqual({
      descriptor: openLayout(built.layout).readIndex().manifests[0],
      blob: stored(built.manifest)
    })
    expect(config).toEqual({ descriptor: built.config, blob: stored(built.config) })
  })

  test.each([[['--image', '/nowhere']], [['--image', 'LAYOUT:nope']], [[]], [['x']]])(
    'refuses %j as umoci does',
    (args) => {
      const given = args.map((arg) => arg.replace('LAYOUT', built.layout))
      const ours = ociUnpack('stat', ...given)
      expect(ours).toMatchObject({ status: run('umoci', 'stat', ...given).status, stdout: '' })
      expect(ours.stderr).not.toBe('')
    }
  )

  test('escapes what could move the cursor', () => {
    const history = [{ created_by: 'a\nb\x1b[2J' }]
    const image = buildImage(`${work}/evil`, { layers: [tar()], config: { history } })
    const { stdout } = ociUnpackOk('stat', '--history', '--image', image.reference)
    expect(stdout.split('\n')).toHaveLength(3)
    expect(stdout).toContain('<none>')
    expect(stdout).toContain('a\\x0ab\\x1b[2J')
  })
})

test('shows manifest, config and history in sections, with --long as without it', () => {
  const { stdout } = ociUnpackOk('stat', '--image', built.reference)
  expect(ociUnpackOk('stat', '--long', '--image', built.reference).stdout).toBe(stdout)
  const [manifest, config, history] = stdout.split('\n\n')
  expect(manifest).toMatch(/^== MANIFEST ==\nSchema Version: 2\nMedia Type: application/)
  expect(manifest).toContain('\nLayers:\n\tDescriptor:\n\t\tMedia Type: ')
  expect(manifest).toContain(`\nAnnotations:\n\tk: v\nDescriptor:\n`)
  expect(config!.split('\n').slice(0, 26)).toEqual([
    '== CONFIG ==',
    'Created: 2026-01-01T00:00:00Z',
    'Author: "a \\"b\\""',
    'Platform:',
    '\tOS: linux',
    expect.stringMatching(/^\tArchitecture: \w+$/),
    'Image Config:',
    '\tUser: 0:0',
    '\tEntrypoint:',
    '\t\t/init',
    '\tCommand:',
    '\t\tsh',
    '\t\t-c',
    '\t\t"echo a b"',
    '\tWorking Directory: /w',
    '\tEnvironment:',
    '\t\tPATH=/bin',
    '\t\t"X=a b"',
    '\tExposed Ports: 443/tcp, 80/tcp',
    '\tLabels:',
    '\t\t"a b": ""',
    '\t\tz: "1,2"',
    'Descriptor:',
    '\tMedia Type: application/vnd.oci.image.config.v1+json',
    `\tDigest: ${built.config.digest}`,
    expect.stringMatching(/^\tSize: \S+B$/)
  ])
  expect(history).toMatch(/^== HISTORY ==\nLAYER +CREATED/)
})

describe('an index', () => {
  /** Tags an index of images for these architectures, of which only the first is there. */
  function tagIndex(): void {
    const manifests = ['amd64', 'arm64'].map((architecture) => ({
      ...built.manifest,
      ...(architecture === 'arm64' ? { digest: sha256(Buffer.from('absent')) } : {}),
      platform: {
        os: 'linux',
        architecture,
        ...(architecture === 'arm64' ? { variant: 'v8' } : {})
      }
    }))
    const mediaType = 'application/vnd.oci.image.index.v1+json'
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }))
    const descriptor = { mediaType, digest: sha256(bytes), size: bytes.length }
    writeFileSync(blobPath(built.layout, descriptor), bytes)
    const entry = { ...descriptor, annotations: { 'org.opencontainers.image.ref.name': 'latest' } }
    const index = { schemaVersion: 2, manifests: [entry] }
    writeFileSync(`${built.layout}/index.json`, JSON.stringify(index))
  }

  test('shows all its platforms, also one that is not there', () => {
    const alone = ociUnpackOk('stat', '--history', '--image', built.reference).stdout
    tagIndex()
    const { stdout } = ociUnpackOk('stat', '--history', '--image', built.reference)
    const absent = sha256(Buffer.from('absent'))
    expect(stdout).toBe(
      `linux/amd64 ${built.manifest.digest}\n${alone}\n` +
        `linux/arm64/v8 ${absent}\nnot in this layout\n`
    )
    const json: unknown = JSON.parse(
      ociUnpackOk('stat', '--json', '--image', built.reference).stdout
    )
    expect(json).toMatchObject({
      index: { mediaType: 'application/vnd.oci.image.index.v1+json' },
      images: [
        { platform: { architecture: 'amd64' }, image: { history: [{}, {}, {}] } },
        { platform: { architecture: 'arm64', variant: 'v8' }, image: null }
      ]
    })
  })

  test('shows the one that --platform chooses', () => {
    const alone = ociUnpackOk('stat', '--history', '--image', built.reference).stdout
    tagIndex()
    const chosen = ociUnpackOk(
      'stat',
      '--history',
      '--platform',
      'linux/amd64',
      '--image',
      built.reference
    )
    expect(chosen.stdout).toBe(alone)
    const missing = ociUnpack('stat', '--platform', 'linux/arm64', '--image', built.reference)
    expect(missing.stderr).toContain('BLOB_NOT_FOUND')
  })
})

test('history that counts more layers than there are is shown all the same', () => {
  const config = { history: [...HISTORY, ...HISTORY] }
  const image = buildImage(`${work}/more`, { layers: [tar()], config })
  const { stdout } = ociUnpackOk('stat', '--history', '--image', image.reference)
  expect(stdout.match(/^sha256:/gm)).toHaveLength(1)
  expect(stdout.match(/^<none> /gm)).toHaveLength(5)
})

test('an artifact shows its manifest', () => {
  const mediaType = 'application/vnd.example.config'
  const config = { mediaType, digest: sha256(Buffer.from('c')), size: 1 }
  const image = buildImage(`${work}/artifact`, { layers: [tar()], manifest: { config } })
  rmSync(blobPath(image.layout, image.config))
  const { stdout } = ociUnpackOk('stat', '--image', image.reference)
  expect(stdout).toContain(`Media Type: ${mediaType}`)
  expect(stdout).not.toContain('== CONFIG ==')
  const json = ociUnpackOk('stat', '--json', '--image', image.reference).stdout
  expect(Object.keys(JSON.parse(json) as object)).toEqual(['manifest'])
})

describe.runIf(needs(...DEBIAN_NEEDS))('the Debian image', () => {
  test.each(['debian', 'zstd'])('is shown as umoci shows it: %s', (tag) => {
    const reference = `${debianLayout()}:${tag}`
    expect(ociUnpackOk('stat', '--history', '--image', reference).stdout).toBe(
      umociStat(reference).stdout
    )
  })
})
