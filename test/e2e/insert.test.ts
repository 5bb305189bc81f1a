import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import { createServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addLayerArchive, insert, OciUnpackError, type ChangeResult } from '../../src/index.ts'
import { openLayout } from '../../src/store/layout.ts'
import { resolveImage } from '../../src/store/resolve.ts'
import { describeEntry, readLayer } from '../engine/repack-bundle.ts'
import { blobPath, buildImage, sha256 } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok, run, type Run } from '../support/run.ts'
import { directory, file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpack, ociUnpackCommand, ociUnpackOk } from './cli.ts'
import { unpackFlags } from '../support/whoever.ts'

let work: string
let layout: string
let reference: string

beforeEach(() => {
  work = makeTemporary()
  layout = `${work}/layout`
  const lower = tar(directory('etc/'), file('etc/a', 'a'), file('etc/b', 'b'))
  reference = buildImage(layout, { layers: [lower], config: { author: 'A' } }).reference
  fs.mkdirSync(`${work}/tree/sub`, { recursive: true })
  fs.writeFileSync(`${work}/tree/f`, 'file')
  fs.writeFileSync(`${work}/tree/sub/g`, 'file')
  fs.linkSync(`${work}/tree/f`, `${work}/tree/sub/linked`)
  fs.symlinkSync('f', `${work}/tree/s`)
})
afterEach(() => removeTemporary(work))

/** Entries of the layer that an insert adds, as `type name -> link`. */
async function inserted(target: string, more: object = {}): Promise<string[]> {
  const { layer } = await insert({ image: reference, source: `${work}/tree`, target, ...more })
  return readLayer(layout, layer!.digest).map(describeEntry)
}

function unpacked(tag = 'latest'): string {
  const rootfs = `${work}/unpacked`
  ociUnpackOk('raw', 'unpack', ...unpackFlags, '--image', `${layout}:${tag}`, rootfs)
  return rootfs
}

async function code(act: Promise<unknown>): Promise<string> {
  const error: unknown = await act.then(
    () => undefined,
    (reason: unknown) => reason
  )
  return error instanceof OciUnpackError ? error.code : String(error)
}

describe.runIf(needs('root'))('insert', () => {
  test('adds a directory with all it holds, and no parents of the target', async () => {
    expect(await inserted('/opt/app')).toEqual([
      'directory opt/app/',
      'file opt/app/f',
      'symlink opt/app/s -> f',
      'directory opt/app/sub/',
      'file opt/app/sub/g',
      'hardlink opt/app/sub/linked -> opt/app/f'
    ])
    expect(fs.readFileSync(`${unpacked()}/opt/app/sub/linked`, 'utf8')).toBe('file')
  })

  test('adds one file under another name', async () => {
    expect(await inserted('etc/new', { source: `${work}/tree/f` })).toEqual(['file etc/new'])
  })

  test('stores a source that is a link as the link', async () => {
    expect(await inserted('etc/new', { source: `${work}/tree/s` })).toEqual([
      'symlink etc/new -> f'
    ])
    fs.symlinkSync('tree', `${work}/to-directory`)
    expect(await inserted('x', { source: `${work}/to-directory` })).toEqual(['symlink x -> tree'])
  })

  test.each([
    ['/../../up', 'up'],
    ['a/../b//c/.', 'b/c']
  ])('takes the target %s as %s', async (target, name) => {
    expect(await inserted(target, { source: `${work}/tree/f` })).toEqual([`file ${name}`])
  })

  test('takes a relative source from where it is called', () => {
    const cwd = process.cwd()
    const image = ['--image', reference, '../tree/f', '/x']
    fs.mkdirSync(`${work}/elsewhere`)
    ok(
      'sh',
      '-euc',
      'cd "$0"; exec "$@"',
      `${work}/elsewhere`,
      ...ociUnpackCommand,
      'insert',
      ...image
    )
    expect(fs.readFileSync(`${unpacked()}/x`, 'utf8')).toBe('file')
    expect(process.cwd()).toBe(cwd)
  })

  test('puts a directory over the root', async () => {
    expect((await inserted('/')).slice(0, 2)).toEqual(['directory .', 'file f'])
    expect(fs.readdirSync(unpacked()).sort()).toEqual(['etc', 'f', 's', 'sub'])
  })

  test('hides with --opaque what the image had there', async () => {
    expect((await inserted('etc', { opaque: true }))[0]).toBe('file etc/.wh..wh..opq')
    expect(fs.readdirSync(`${unpacked()}/etc`).sort()).toEqual(['f', 's', 'sub'])
  })

  test('deletes with --whiteout', () => {
    ociUnpackOk('insert', '--image', reference, '--tag', 'without', '--whiteout', '/etc/a')
    expect(fs.readdirSync(`${unpacked('without')}/etc`)).toEqual(['b'])
    ok('umoci', 'raw', 'unpack', '--image', `${layout}:without`, `${work}/by-umoci`)
    expect(fs.readdirSync(`${work}/by-umoci/etc`)).toEqual(['b'])
  })

  test('leaves the base as it is when there is another tag', async () => {
    const before = image('latest')
    await inserted('x', { tag: 'other' })
    expect(image('latest')).toEqual(before)
    expect(image('other').manifest.layers).toHaveLength(2)
  })

  test('maps owners back', async () => {
    fs.chownSync(`${work}/tree/f`, 100_005, 200_007)
    const { layer } = await insert({
      image: reference,
      source: `${work}/tree/f`,
      target: 'x',
      uidMap: [{ containerId: 0, hostId: 100_000, size: 10 }],
      gidMap: [{ containerId: 0, hostId: 200_000, size: 10 }]
    })
    const [{ entry }] = readLayer(layout, layer!.digest) as [ReturnType<typeof readLayer>[0]]
    expect([entry.uid, entry.gid]).toEqual([5, 7])
  })

  test('has history of its own, without the author of the image', async () => {
    await inserted('x')
    expect(image('latest').config.history).toMatchObject([{ created_by: 'oci-unpack insert' }])
    expect(image('latest').config.history?.[0]).not.toHaveProperty('author')
  })

  test('warns of sockets and leaves them out', async () => {
    const server = createServer()
    await new Promise<void>((done) => server.listen(`${work}/tree/socket`, done))
    const warnings: unknown[] = []
    const onEvent = (event: { type: string }): void => {
      if (event.type === 'warning') warnings.push(event)
    }
    expect(await inserted('x', { onEvent })).not.toContain('file x/socket')
    expect(warnings).toHaveLength(1)
    const alone = insert({ image: reference, source: `${work}/tree/socket`, target: 'x' })
    expect(await code(alone)).toBe('USAGE')
    server.close()
  })

  test.each<[string, object, string]>([
    ['a file as the root', { source: 'f', target: '/' }, 'USAGE'],
    ['no root', { target: '/' }, 'USAGE'],
    ['no root by another name', { target: 'a/..' }, 'USAGE'],
    ['a target that is a whiteout', { source: 'f', target: 'a/.wh.x' }, 'ENTRY_INVALID'],
    ['a target below one', { source: 'f', target: '.wh.x/a' }, 'ENTRY_INVALID'],
    ['a name that is a whiteout', { source: 'whiteout', target: 'x' }, 'ENTRY_INVALID'],
    ['an empty target', { source: 'f', target: '' }, 'USAGE'],
    ['an empty target to delete', { target: '' }, 'USAGE'],
    ['an empty source', { source: '', target: 'x' }, 'USAGE'],
    ['no source', { source: 'nothing', target: 'x' }, 'SYSCALL_FAILED'],
    ['no source directory', { source: 'nothing/f', target: 'x' }, 'SYSCALL_FAILED'],
    ['an unknown tag', { source: 'f', target: 'x', image: 'nope' }, 'TAG_NOT_FOUND'],
    ['a bad new tag', { source: 'f', target: 'x', tag: '' }, 'REFERENCE_INVALID'],
    ['an owner without a map', { source: 'f', target: 'x', uidMap: MAP }, 'ID_NOT_MAPPED']
  ])('refuses %s, and leaves the layout as it was', async (_name, { ...options }, expected) => {
    fs.mkdirSync(`${work}/tree/whiteout`)
    fs.writeFileSync(`${work}/tree/whiteout/.wh.x`, '')
    const { source, image: tag, ...rest } = options as { source?: string; image?: string }
    const before = contents()
    const act = insert({
      target: '',
      image: tag === undefined ? reference : `${layout}:${tag}`,
      ...(source === undefined ? {} : { source: source && `${work}/tree/${source}` }),
      ...rest
    })
    expect(await code(act)).toBe(expected)
    expect(contents()).toEqual(before)
  })

  test.each([[['', '/x']], [['f', '']], [['--whiteout', '']]])(
    'refuses %j, as umoci 0.6 does, and writes nothing',
    (args) => {
      const before = contents()
      const { status, stderr } = ociUnpack('insert', '--image', reference, ...args)
      expect(stderr).toContain('is empty. [USAGE]')
      expect(status).toBe(1)
      expect(contents()).toEqual(before)
    }
  )

  test('counts its arguments', () => {
    for (const args of [['x'], ['--whiteout', 'a', 'b'], ['--whiteout']]) {
      const { status, stderr } = ociUnpack('insert', '--image', reference, ...args)
      expect(stderr).toContain('SOURCE and TARGET')
      expect(status).toBe(1)
    }
  })

  test('by ten processes at once loses nothing', async () => {
    const tags = Array.from({ length: 10 }, (_, i) => `tag-${i}`)
    const runs = tags.map(async (tag) => {
      const args = ['insert', '--image', reference, '--tag', tag, `${work}/tree`, `/${tag}`]
      const child = spawn(ociUnpackCommand[0], [ociUnpackCommand[1], ...args])
      return new Promise((done) => child.on('exit', done))
    })
    expect(await Promise.all(runs)).toEqual(tags.map(() => 0))
    const { stdout } = ok('umoci', 'ls', '--layout', layout)
    expect(stdout.trim().split('\n').sort()).toEqual(['latest', ...tags])
    expect(fs.readdirSync(layout)).toEqual(['blobs', 'index.json', 'oci-layout'])
  })
})

const MAP = [{ containerId: 0, hostId: 77, size: 1 }]

describe('raw add-layer', () => {
  test.each(['gzip', 'zstd', 'none'])('keeps the archive byte for byte (%s)', (compress) => {
    const archive = Buffer.concat([tar(file('x', 'x')), Buffer.alloc(8192)])
    fs.writeFileSync(`${work}/layer.tar`, archive)
    const options = ['--compress', compress, '--image', reference, '--tag', 'new']
    ociUnpackOk('raw', 'add-layer', ...options, `${work}/layer.tar`)
    const { config, manifest } = image('new')
    expect(config.rootfs.diff_ids.at(-1)).toBe(sha256(archive))
    expect(manifest.layers.at(-1)!.mediaType).toContain(
      compress === 'none' ? 'v1.tar' : `+${compress}`
    )
    expect(config.history).toMatchObject([{ created_by: 'oci-unpack raw add-layer', author: 'A' }])
    expect(fs.readFileSync(`${unpacked('new')}/x`, 'utf8')).toBe('x')
  })

  const ARCHIVE = tar(file('x', 'x'))
  const LONG = tar(file('x', 'x'), file('noise', randomBytes(3 << 20)))
  const shell = (line: string): Run => run('sh', '-c', line, ...ociUnpackCommand, reference)
  const ADD = '"$0" "$1" raw add-layer --image "$2" --tag new'

  test.each<[string, (archive: Buffer) => Buffer]>([
    ['gzip', (archive) => gzipSync(archive)],
    [
      'gzip in several members',
      (archive) =>
        Buffer.concat([gzipSync(archive.subarray(0, 700)), gzipSync(archive.subarray(700))])
    ],
    ['zstd', (archive) => execFileSync('zstd', ['-cq'], { input: archive, maxBuffer: 1 << 25 })]
  ])('decompresses an archive first: %s', async (_name, pack) => {
    for (const archive of [ARCHIVE, LONG]) {
      fs.writeFileSync(`${work}/layer`, pack(archive))
      const { layer } = await add(`${work}/layer`)
      expect(layer!.diffId).toBe(sha256(archive))
    }
    ociUnpackOk('verify', '--image', reference)
  })

  test.each<[string, string]>([
    ['a FIFO', 'mkfifo fifo; cat layer.tar > fifo & $ADD fifo'],
    [
      'a FIFO whose writer comes late and pauses',
      'mkfifo fifo; (sleep 0.2; head -c 700 layer.tar; sleep 0.2; tail -c +701 layer.tar) > fifo & $ADD fifo'
    ],
    ['a pipe as standard input', 'cat layer.tar | $ADD /dev/stdin'],
    ['a file as standard input', '$ADD /dev/stdin < layer.tar'],
    ['a compressed archive from a pipe', 'gzip < layer.tar | $ADD /dev/stdin']
  ])('reads to its end: %s', (_name, line) => {
    fs.writeFileSync(`${work}/layer.tar`, LONG)
    expect(shell(`cd ${work}; ${line.replaceAll('$ADD', ADD)}`)).toMatchObject({
      status: 0,
      stderr: ''
    })
    expect(image('new').config.rootfs.diff_ids.at(-1)).toBe(sha256(LONG))
  })

  test('reads standard input that is a socket', () => {
    const args = ['raw', 'add-layer', '--image', reference, '--tag', 'new', '/dev/stdin']
    execFileSync(ociUnpackCommand[0], [ociUnpackCommand[1], ...args], { input: LONG })
    expect(image('new').config.rootfs.diff_ids.at(-1)).toBe(sha256(LONG))
  })

  test('takes an archive without members, and one without its end', async () => {
    expect((await add(layerFile(tar()))).layer!.diffId).toBe(sha256(tar()))
    const cut = ARCHIVE.subarray(0, 1024)
    expect((await add(layerFile(cut))).layer!.diffId).toBe(sha256(cut))
    ociUnpackOk('verify', '--image', reference)
  })

  const xz = (): Buffer => Buffer.concat([Buffer.from('fd377a585a000004', 'hex'), randomBytes(600)])
  test.each<[string, string, () => string]>([
    ['a directory', 'USAGE', () => `${work}/tree`],
    ['what does not exist', 'USAGE', () => `${work}/nothing`],
    ['an empty file', 'USAGE', () => layerFile(Buffer.alloc(0))],
    ['what is compressed with xz', 'USAGE', () => layerFile(xz())],
    ['text', 'TAR_INVALID', () => layerFile(Buffer.from('anything'))],
    ['a member cut off', 'TAR_INVALID', () => layerFile(LONG.subarray(0, 5000))],
    ['gzip of text', 'TAR_INVALID', () => layerFile(gzipSync('anything'))],
    [
      'a compressed archive, compressed',
      'TAR_INVALID',
      () => layerFile(gzipSync(gzipSync(ARCHIVE)))
    ],
    ['gzip cut off', 'COMPRESSION_INVALID', () => layerFile(gzipSync(LONG).subarray(0, -9))],
    ['a name that no file can have', 'LIMIT_EXCEEDED', () => layerFile(tar(file('x'.repeat(300))))]
  ])('refuses %s, and leaves the layout as it was: %s', async (_name, expected, path) => {
    const archive = path()
    const before = contents()
    expect(await code(add(archive))).toBe(expected)
    expect(contents()).toEqual(before)
  })

  function layerFile(bytes: Buffer): string {
    fs.writeFileSync(`${work}/layer`, bytes)
    return `${work}/layer`
  }

  const add = (archive: string): Promise<ChangeResult> =>
    addLayerArchive({ image: reference, archive })
})

describe('an image behind indexes', () => {
  const BIG = '9223372036854775807'

  test('is rewritten up to the root, and nothing else is lost', async () => {
    const { manifest, config, layers } = buildImage(`${work}/nested`, { layers: [tar(file('x'))] })
    const nested = `${work}/nested`
    const platform = { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' }
    const rich = raw(
      nested,
      config.mediaType,
      JSON.stringify({
        ...readJson(blobPath(nested, config)),
        config: { Healthcheck: { Interval: 'BIG' }, OnBuild: ['x'] },
        vendor: { n: 'BIG' }
      })
    )
    const inner = raw(
      nested,
      manifest.mediaType,
      JSON.stringify({ schemaVersion: 2, config: rich, layers, extra: 'BIG' })
    )
    const other = raw(
      nested,
      manifest.mediaType,
      JSON.stringify({ schemaVersion: 2, config: rich, layers })
    )
    const index = raw(
      nested,
      'application/vnd.oci.image.index.v1+json',
      JSON.stringify({
        schemaVersion: 2,
        extra: 'BIG',
        manifests: [
          { ...other, platform: { os: 'linux', architecture: 's390x' } },
          { ...inner, platform, data: base64(blobPath(nested, inner)), note: 'kept' }
        ]
      })
    )
    const name = { 'org.opencontainers.image.ref.name': 'latest', 'org.example': 'kept' }
    const manifests = [{ ...index, annotations: name, data: base64(blobPath(nested, index)) }]
    fs.writeFileSync(`${nested}/index.json`, JSON.stringify({ schemaVersion: 2, manifests }))

    await insert({ image: `${nested}:latest`, source: `${work}/tree/f`, target: 'y' })

    const found = resolveImage(openLayout(nested), 'latest', undefined)
    expect(found.manifest.layers).toHaveLength(2)
    expect(found.descriptorPath).toHaveLength(2)
    const [root, leaf] = found.descriptorPath as unknown as [Descriptor, Descriptor]
    expect(root.annotations).toEqual(name)
    expect(leaf).toMatchObject({ platform, note: 'kept' })
    for (const descriptor of [root, leaf])
      expect(descriptor.data).toBe(base64(blobPath(nested, descriptor)))
    const texts = [root, leaf, found.manifest.config].map((descriptor) =>
      fs.readFileSync(blobPath(nested, descriptor), 'utf8')
    )
    expect(texts[0]).toContain(`"extra":${BIG}`)
    expect(texts[0]).toContain(other.digest)
    expect(texts[1]).toContain(`"extra":${BIG}`)
    expect(texts[2]).toContain(`"Healthcheck":{"Interval":${BIG}}`)
    expect(texts[2]).toContain('"OnBuild":["x"]')
    expect(texts[2]).toContain(`"vendor":{"n":${BIG}}`)
    ociUnpackOk('raw', 'unpack', ...unpackFlags, '--image', `${nested}:latest`, `${work}/out`)
    expect(fs.readdirSync(`${work}/out`)).toEqual(['x', 'y'])
  })

  interface Descriptor {
    mediaType: string
    digest: string
    size: number
    data?: string
    annotations?: object
  }

  /** Stores text with each `"BIG"` as the largest number of 64 bits, which JavaScript's own JSON cannot write. */
  function raw(where: string, mediaType: string, text: string): Descriptor {
    const bytes = Buffer.from(text.replaceAll('"BIG"', BIG))
    const descriptor = { mediaType, digest: sha256(bytes), size: bytes.length }
    fs.writeFileSync(blobPath(where, descriptor), bytes)
    return descriptor
  }
})

function image(tag: string): ReturnType<typeof resolveImage> {
  return resolveImage(openLayout(layout), tag, undefined)
}

function contents(): string[] {
  const index = fs.readFileSync(`${layout}/index.json`, 'utf8')
  return [index, ...fs.readdirSync(layout), ...fs.readdirSync(`${layout}/blobs/sha256`)]
}

function readJson(path: string): object {
  return JSON.parse(fs.readFileSync(path, 'utf8')) as object
}

function base64(path: string): string {
  return fs.readFileSync(path).toString('base64')
}
