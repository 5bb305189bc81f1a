/** `insert`, `raw add-layer` and `repack` beside Debian's umoci: the same flags must leave the same documents. */
import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { blobPath, buildImage, sha256 } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { expectOk, ok, type Run } from '../support/run.ts'
import { directory, file, hardlink, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { contents, documents, inBoth, type Program } from './both-programs.ts'

const MADE = ['--history.created=2026-01-02T03:04:05Z', '--history.created_by=test']
const HISTORY = [...MADE, '--history.author=H <h@x>', '--history.comment=-c-']
const MAPS = ['--uid-map=0:1000:10', '--uid-map', '20:3000', '--gid-map=0:2000:10']

/** `L` is the layout of the program, `W` what both share. */
const ADDED: Readonly<Record<string, readonly string[]>> = {
  'insert of a file': ['insert', '--tag=new', ...MADE, 'W/tree/f', '/etc/new'],
  'insert of a directory, under the same tag': ['insert', ...HISTORY, 'W/tree', 'opt/../app/'],
  'insert, opaque': ['insert', '--opaque', '--tag=new', ...MADE, 'W/tree', '/etc'],
  'insert of a whiteout': ['insert', '--whiteout', '--tag', 'new', ...MADE, '/etc/a'],
  'insert of mapped owners': ['insert', ...MAPS, ...MADE, 'W/mapped', '/x'],
  'insert without history': ['insert', '--no-history', 'W/tree/f', '/x'],
  'raw add-layer': ['raw', 'add-layer', '--tag=new', ...MADE, 'W/layer.tar'],
  'raw add-layer, its history': ['raw', 'add-layer', ...HISTORY, 'W/layer.tar'],
  'raw add-layer without history': ['raw', 'add-layer', '--no-history', 'W/layer.tar']
}

/** Flags of a repack after EDITS. */
const REPACKED: Readonly<Record<string, readonly string[]>> = {
  'what changed': MADE,
  'less what is masked': ['--mask-path=/etc', '--mask-path', 'data/f', ...HISTORY],
  'volumes too': ['--no-mask-volumes', ...MADE],
  'nothing, all being masked': ['--mask-path=/', ...MADE],
  'without history': ['--no-history']
}

/** umoci knows whole seconds only. */
const EDITS = `
cd "$0"; echo more >>etc/a; rm etc/b; mkdir new; ln data/f new/f; echo v >volume/in; chmod 4750 data/g
find . -newermt 2020-01-01 -exec touch -h -d @1600000000 {} +`

const MISTAKES: readonly (readonly string[])[] = [
  ['insert'],
  ['insert', '--image=L:base'],
  ['insert', '--image=L:base', 'W/tree'],
  ['insert', '--image=L:base', 'W/tree', '/x', 'more'],
  ['insert', '--image=L:base', '--whiteout', 'W/tree', '/x'],
  ['insert', '--image=L:base', 'W/nothing', '/x'],
  ['insert', '--image=L:nope', 'W/tree', '/x'],
  ['insert', '--image=L:base', '--uid-map=x', 'W/tree', '/x'],
  ['insert', '--image=L:base', '--no-history', '--history.author=x', 'W/tree', '/x'],
  ['raw', 'add-layer', '--image=L:base'],
  ['raw', 'add-layer', '--image=L:base', 'W/nothing'],
  ['raw', 'add-layer', '--image=L:base', 'W/tree'],
  ['raw', 'add-layer', '--image=L:base', '--history.created=x', 'W/layer.tar'],
  ['repack', '--image=L:new'],
  ['repack', '--image=L:new', 'W/tree'],
  ['repack', '--image=L:new', 'W/nothing', 'more']
]

let work = ''
beforeAll(() => {
  work = makeTemporary()
  const directories = ['./', 'etc/', 'data/', 'volume/'].map((name) => directory(name))
  const lower = tar(...directories, file('etc/a', 'a'), file('etc/b', 'b'), file('data/f', 'f'))
  const upper = tar(file('data/g', 'g'), hardlink('data/h', 'data/g'))
  buildImage(`${work}/image`, {
    layers: [lower, upper],
    tag: 'base',
    config: { author: 'A', config: { Volumes: { '/volume': {} } } },
    manifest: { annotations: { a: '1' } }
  })
  mkdirSync(`${work}/tree/sub`, { recursive: true })
  for (const name of ['tree/f', 'tree/sub/g', 'mapped']) writeFileSync(`${work}/${name}`, name)
  writeFileSync(`${work}/layer.tar`, tar(file('x', 'x')))
  chownSync(`${work}/mapped`, 1003, 2009)
  ok('find', work, '-exec', 'touch', '-h', '-d', '@1600000000', '{}', '+')
})
afterAll(() => removeTemporary(work))

describe.runIf(needs('root', 'umoci'))("beside Debian's umoci", () => {
  test.each(Object.entries(ADDED))('the same comes of %s', (_name, args) => {
    const tag = args.some((arg) => arg.startsWith('--tag')) ? 'new' : 'base'
    expectSame(tag, (layout, program) => {
      const at = args[0] === 'raw' ? 2 : 1
      const image = ['--image', `${layout}:base`]
      return program(...args.slice(0, at), ...image, ...placed(args.slice(at), layout))
    })
  })

  test.each(Object.entries(REPACKED))('a repack takes %s', (_name, flags) => {
    expectSame('new', (layout, program) => {
      const bundle = editedBundle(layout, program)
      return program('repack', '--image', `${layout}:new`, ...flags, bundle)
    })
  })

  test('a refreshed bundle is one of the new image', () => {
    expectSame('again', (layout, program) => {
      const bundle = editedBundle(layout, program)
      const refresh = ['--refresh-bundle', ...MADE]
      expectOk(program('repack', '--image', `${layout}:new`, ...refresh, bundle), 'refresh')
      expect(tagIn(bundle)).toBe('new')
      writeFileSync(`${bundle}/rootfs/etc/c`, 'c')
      ok('touch', '-d', '@1600000001', `${bundle}/rootfs/etc/c`, `${bundle}/rootfs/etc`)
      return program('repack', '--image', `${layout}:again`, ...HISTORY, bundle)
    })
  })

  test.each(MISTAKES.map((args) => ({ args, line: args.join(' ') })))(
    'both refuse $line, and change nothing',
    ({ args }) => {
      const { ours, theirs } = inBoth(`${work}/image`, (layout, program) => {
        const before = contents(layout)
        const { status, stdout } = program(...placed(args, layout))
        expect(contents(layout)).toEqual(before)
        return { status, stdout }
      })
      expect(ours).toEqual({ ...theirs, stdout: '' })
      expect(ours.status).not.toBe(0)
    }
  )
})

/** The tag of the image that a bundle says it came from. */
function tagIn(bundle: string): string | undefined {
  const metadata = JSON.parse(readFileSync(`${bundle}/umoci.json`, 'utf8')) as {
    from_descriptor_path: { descriptor_walk: { annotations?: Record<string, string> }[] }
  }
  const [entry] = metadata.from_descriptor_path.descriptor_walk
  return entry?.annotations?.['org.opencontainers.image.ref.name']
}

function placed(args: readonly string[], layout: string): string[] {
  return args.map((arg) => arg.replace(/^W/, work).replace('=L:', `=${layout}:`))
}

function editedBundle(layout: string, program: Program): string {
  const bundle = `${layout}/../bundle`
  expectOk(program('unpack', '--image', `${layout}:base`, bundle), 'unpack')
  ok('sh', '-euc', EDITS, `${bundle}/rootfs`)
  return bundle
}

/** That both say the same and leave the same documents and archives under a tag. */
function expectSame(tag: string, act: (layout: string, program: Program) => Run): void {
  const { ours, theirs } = inBoth(`${work}/image`, (layout, program) => {
    const { status, stdout } = act(layout, program)
    return { status, stdout, ...madeIn(layout, tag) }
  })
  expect(ours).toEqual(theirs)
  expect(ours).toMatchObject({ status: 0, stdout: '' })
}

/** The documents, with diff IDs in place of what a compressor has a part in; the config as text. */
function madeIn(layout: string, tag: string): object {
  const { index, manifest, config } = documents(layout, tag)
  const archives = manifest.layers.map((it) => gunzipSync(readFileSync(blobPath(layout, it))))
  expect(config).toMatchObject({ rootfs: { diff_ids: archives.map(sha256) } })
  const digests = archives.map((archive) => sha256(ended(archive)))
  const text = archives.reduce(
    (before, archive, at) => before.replace(sha256(archive), digests[at]!),
    JSON.stringify(config)
  )
  const layers = manifest.layers.map(({ mediaType }, at) => ({ mediaType, digest: digests[at] }))
  const unpacked = { ...manifest, layers, config: manifest.config.mediaType }
  const entries = index.manifests.map((entry) => ({ ...entry, digest: '', size: 0 }))
  return { index: { ...index, manifests: entries }, manifest: unpacked, config: text }
}

/** `insert` of umoci 0.4.7 leaves out the end of the archive. */
function ended(archive: Buffer): Buffer {
  const end = Buffer.alloc(1024)
  if (archive.subarray(-1024).equals(end)) return archive
  return Buffer.concat([archive, Buffer.alloc((512 - (archive.length % 512)) % 512), end])
}
