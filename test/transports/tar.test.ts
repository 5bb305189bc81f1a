/** Archives of root file systems: read as an image, and written as the merged tree of one. */
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { copy, unpackRootfs, verify } from '../../src/index.ts'
import { openBlob } from '../../src/store/blob.ts'
import type { ImageSource } from '../../src/store/image-source.ts'
import { resolveImage } from '../../src/store/resolve.ts'
import {
  formatImageName,
  parseDestination,
  parseImageName
} from '../../src/transports/image-name.ts'
import { openImages } from '../../src/transports/open-images.ts'
import { privateName } from '../../src/workspace/private-name.ts'
import { codeOf } from '../engine/support.ts'
import { failure, failureCode } from '../image/errors.ts'
import { layerTar } from '../reference/layer-tar.ts'
import { layerStack } from '../reference/random-layers.ts'
import { compareTrees } from '../support/compare-trees.ts'
import { library } from '../support/dist.ts'
import { buildImage } from '../support/image-builder.ts'
import { needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import {
  char,
  directory,
  fifo,
  file,
  hardlink,
  paxHeader,
  symlink,
  tar,
  type Entry
} from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { unpackOptions } from '../support/whoever.ts'

let work: string
beforeEach(() => (work = makeTemporary()))
afterEach(() => {
  vi.unstubAllEnvs()
  removeTemporary(work)
})

const ARM64 = elf(183)
const AMD64 = elf(62)

function elf(machine: number): Buffer {
  const head = Buffer.from('\x7fELF\x02\x01\x01'.padEnd(64, '\0'), 'latin1')
  head.writeUInt16LE(machine, 18)
  return head
}

const HOLES = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '300000' }
const MAP = Buffer.from('1\n200000\n5\n'.padEnd(512, '\0'))

/** As debootstrap and mmdebstrap leave it, with what else such an archive may have. */
const ROOT: readonly Entry[] = [
  directory('./', { mode: 0o755, pax: { mtime: '1234567890.123456789' } }),
  directory('./etc/', { mode: 0o555, mtime: 1_000_000_000 }),
  file('./etc/passwd', 'root:x:0:0::/root:/bin/sh\n', { mtime: 900_000_000 }),
  directory('./usr/', { mtime: 5 }),
  directory('./usr/bin/', { mtime: 6 }),
  file('./usr/bin/one', ARM64, { mode: 0o4755 }),
  file('./usr/bin/two', ARM64, { mode: 0o755, uid: 7, gid: 8 }),
  file('./usr/bin/qemu-aarch64-static', AMD64, { mode: 0o755 }),
  hardlink('./usr/three', './usr/bin/two'),
  symlink('./bin', 'usr/bin', { pax: { mtime: '-1.5' } }),
  hardlink('./same-link', './bin'),
  directory('./dev/', { mtime: 7 }),
  char('./dev/null', 1, 3, { mode: 0o666 }),
  fifo('./dev/initctl', { mode: 0o600 }),
  directory('./root/', { mode: 0o700, uid: 0xffff_fff0 }),
  file('./root/empty', ''),
  file(`./root/${'long-'.repeat(40)}`, 'x', { pax: { 'SCHILY.xattr.user.a': 'b\0c' } }),
  file('./root/caf\xe9', 'not UTF-8'),
  { ...file('./GNUSparseFile.0/holes', Buffer.concat([MAP, Buffer.from('abcde')])) },
  directory('./opt/')
].map((entry) =>
  entry.name.endsWith('holes')
    ? { ...entry, pax: { ...HOLES, 'GNU.sparse.name': './holes' } }
    : entry
)

const FORMATS: readonly (readonly [suffix: string, pack: (bytes: Buffer) => Buffer])[] = [
  ['tar', (bytes) => bytes],
  ['tar.gz', (bytes) => gzipSync(bytes)],
  ...(
    [
      ['tar.zst', 'zstd'],
      ['tar.xz', 'xz'],
      ['tar.bz2', 'bzip2']
    ] as const
  ).map(([suffix, program]) => [suffix, by(program)] as const)
]

function by(program: string): (bytes: Buffer) => Buffer {
  return (input) => execFileSync(program, ['-c'], { input })
}

function written(name: string, content: Buffer): string {
  writeFileSync(`${work}/${name}`, content)
  return `tar:${work}/${name}`
}

function copied(source: string, destination: string): Promise<unknown> {
  return copy({ source, destination, jobs: 0 })
}

async function unpacked(image: string, name: string): Promise<string> {
  const destination = `${work}/${name}`
  await unpackRootfs({ image, destination, jobs: 0, ...unpackOptions })
  return destination
}

async function opened<T>(name: string, act: (source: ImageSource) => T): Promise<T> {
  const source = await openImages(parseImageName(name))
  try {
    return act(source)
  } finally {
    source.close()
  }
}

describe('import, unpack, export and import again', () => {
  test.each(FORMATS)('%s', async (suffix, pack) => {
    // nothing in the name says how it is compressed
    const base = written('base', pack(tar(...ROOT)))
    const first = await unpacked(base, 'first')
    expect(readdirSync(first).sort()).toEqual(
      ['bin', 'dev', 'etc', 'holes', 'opt', 'root', 'same-link', 'usr'].sort()
    )
    await copied(base, `${work}/layout:t`)
    expect(await verify({ image: `${work}/layout:t`, jobs: 0 })).toMatchObject({ ok: true })
    await copied(`${work}/layout:t`, `tar:${work}/out.${suffix}`)
    await copied(`tar:${work}/out.${suffix}`, `${work}/again:t`)
    expect(compareTrees(first, await unpacked(`${work}/again:t`, 'second'))).toEqual([])
    await copied(`${work}/again:t`, `tar:${work}/plain.tar`)
    await copied(base, `tar:${work}/direct.tar`)
    expect(readFileSync(`${work}/plain.tar`)).toEqual(readFileSync(`${work}/direct.tar`))
  })

  test('with threads, to the same bytes', async () => {
    const base = written('base', tar(...ROOT))
    await copied(base, `tar:${work}/alone.tar`)
    for (const [suffix] of FORMATS) {
      const destination = `tar:${work}/threads.${suffix}`
      await library.copy({ source: base, destination, jobs: 2 })
      await copied(destination, `tar:${work}/plain-${suffix}.tar`)
      expect(readFileSync(`${work}/plain-${suffix}.tar`)).toEqual(readFileSync(`${work}/alone.tar`))
    }
  })
})

describe('an archive is an image', () => {
  test('that depends on nothing but its content', async () => {
    const image = (name: string): Promise<unknown> =>
      opened(name, (source) => {
        const { config, manifest, descriptorPath } = resolveImage(source, undefined)
        return { config, manifest, digest: descriptorPath[0].digest }
      })
    const one = await image(written('one.tar', tar(...ROOT)))
    expect(await image(written('two', tar(...ROOT)))).toEqual(one)
    expect(one).toMatchObject({
      config: { architecture: 'arm64', os: 'linux', rootfs: { diff_ids: [expect.any(String)] } }
    })
    expect(one).not.toHaveProperty('config.created')
  })

  test.each([
    ['tar', 'application/vnd.oci.image.layer.v1.tar', true],
    ['tar.gz', 'application/vnd.oci.image.layer.v1.tar+gzip', true],
    ['tar.zst', 'application/vnd.oci.image.layer.v1.tar+zstd', true],
    ['tar.xz', 'application/vnd.oci.image.layer.v1.tar+gzip', false],
    ['tar.bz2', 'application/vnd.oci.image.layer.v1.tar+gzip', false]
  ])('whose layer is, for %s, %s', async (suffix, mediaType, isItself) => {
    const pack = new Map(FORMATS).get(suffix)!
    const bytes = pack(tar(...ROOT))
    await copied(written('base', bytes), `${work}/layout:t`)
    await opened(`${work}/layout:t`, (source) => {
      const [layer] = resolveImage(source, undefined).manifest.layers
      expect(layer!.mediaType).toBe(mediaType)
      const blob = readFileSync(source.blobSource(layer!).path!)
      const same = isItself ? blob.equals(bytes) : gunzipSync(blob).equals(tar(...ROOT))
      expect(same).toBe(true)
    })
  })

  test('of this machine, if there are no programs in it', async () => {
    const name = written('data.tar', tar(file('a', 'b')))
    const { architecture } = await opened(name, (source) => resolveImage(source, undefined).config)
    expect(architecture).toBe({ x64: 'amd64' }[process.arch as string] ?? process.arch)
  })

  test.each([false, true])(
    'that is refused if it changes meanwhile (spooled: %s)',
    async (packed) => {
      const bytes = tar(...ROOT)
      const name = written('base', packed ? by('xz')(bytes) : bytes)
      const code = await opened(name, (source) => {
        const [layer] = resolveImage(source, undefined).manifest.layers
        bytes[600]! ^= 1
        writeFileSync(`${work}/base`, bytes)
        const blob = openBlob(source.blobSource(layer!))
        try {
          blob.verify()
          return 'right'
        } catch (error) {
          return (error as { code: string }).code
        } finally {
          blob.close()
        }
      })
      expect(code).toBe(packed ? 'right' : 'BLOB_DIGEST_MISMATCH')
    }
  )
})

const ZEROS = Buffer.alloc(1 << 20)

/** What an archive is not, and what the answer must name. */
const REFUSED: readonly (readonly [what: string, content: Buffer, code: string, tells: RegExp])[] =
  [
    ['an empty file', Buffer.alloc(0), 'ARCHIVE_INVALID', /empty file/],
    ['a text', Buffer.from('#!/bin/sh\n'.repeat(99)), 'ARCHIVE_INVALID', /not a tar archive/],
    ['a disk image', Buffer.concat([ZEROS, Buffer.from('ext4')]), 'ARCHIVE_INVALID', /no members/],
    ['a layout', tar(file('oci-layout'), directory('blobs/')), 'ARCHIVE_INVALID', /oci-archive:/],
    [
      'docker save',
      tar(file(`${'0'.repeat(64)}.json`), file('manifest.json')),
      'ARCHIVE_INVALID',
      /docker-archive:/
    ],
    [
      'the metadata of a split image of LXD',
      tar(file('metadata.yaml'), directory('templates/')),
      'ARCHIVE_INVALID',
      /root\.tar\.xz/
    ],
    [
      'the disk of a virtual machine',
      tar(file('metadata.yaml'), file('rootfs.img')),
      'ARCHIVE_INVALID',
      /virtual machine/
    ],
    ['a whiteout', tar(file('a/.wh.b')), 'ENTRY_INVALID', /a\/\.wh\.b/],
    ['an opaque marker', tar(file('a/.wh..wh..opq')), 'ENTRY_INVALID', /opq/],
    ['a file called .wh.', tar(file('.wh.')), 'ENTRY_INVALID', /whiteout/],
    [
      'half an archive',
      tar(file('a', 'x'.repeat(2000))).subarray(0, 1000),
      'TAR_INVALID',
      /cut short/
    ],
    ['damaged gzip', gzipSync(tar(...ROOT)).fill(0, 100, 200), 'COMPRESSION_INVALID', /damaged/],
    ['damaged xz', by('xz')(tar(...ROOT)).fill(0, 100, 200), 'COMPRESSION_INVALID', /damaged/],
    ['gzip in gzip', gzipSync(gzipSync(tar(...ROOT))), 'ARCHIVE_INVALID', /not a tar archive/]
  ]

test.each(REFUSED)('%s is not a root file system', async (_what, content, code, tells) => {
  const error = await openImages(parseImageName(written('x', content))).then(
    () => undefined,
    (thrown: unknown) => thrown as { code: string; facts: object; message: string; hint?: string }
  )
  expect(error).toMatchObject({ code, facts: { file: `${work}/x` } })
  expect(`${error!.message} ${JSON.stringify(error!.facts)} ${error!.hint}`).toMatch(tells)
})

/** What is one, although it looks odd. */
const ACCEPTED: readonly (readonly [what: string, content: Buffer, names: string[]])[] = [
  ['an archive without members', Buffer.alloc(10_240), []],
  ['no end, and no padding', tar(file('a', 'b')).subarray(0, 513), ['a']],
  ['garbage after its end', Buffer.concat([tar(file('a')), Buffer.from('garbage')]), ['a']],
  ['absolute names', tar(file('/a'), hardlink('/b', '/a')), ['a', 'b']],
  ['a name that leads out', tar(file('../../a')), ['a']],
  ['a global header', Buffer.concat([paxHeader('g', { comment: 'x' }), tar(file('a'))]), ['a']],
  ['a file twice', tar(file('a', 'old'), file('a', 'new')), ['a']],
  [
    'manifest.json beside others',
    tar(file('manifest.json'), directory('etc/')),
    ['etc', 'manifest.json']
  ],
  [
    'a skippable frame first',
    Buffer.concat([Buffer.from('502a4d1804000000deadbeef', 'hex'), by('zstd')(tar(file('a')))]),
    ['a']
  ],
  [
    'several gzip members',
    Buffer.concat(
      [tar(file('a')).subarray(0, 700), tar(file('a')).subarray(700)].map((part) => gzipSync(part))
    ),
    ['a']
  ]
]

test.each(ACCEPTED)('%s is taken', async (_what, content, names) => {
  const root = await unpacked(written('x', content), 'root')
  expect(readdirSync(root).sort()).toEqual(names)
})

describe('names', () => {
  test('have no tag, so that a path may contain a colon', () => {
    const name = parseImageName('tar:a/12:00@x.tar')
    expect(name).toEqual({ transport: 'tar', path: 'a/12:00@x.tar', tag: undefined })
    expect(formatImageName(name)).toBe('tar:a/12:00@x.tar')
  })

  test.each(['tar:', 'tar:-'])('%s is refused', (name) => {
    expect(failureCode(() => parseImageName(name))).toBe('REFERENCE_INVALID')
  })

  test.each(['x', 'x.tar.lz4', 'x.zip', 'x.tar:12'])('a new archive is not called %s', (name) => {
    expect(failure(() => parseDestination(`tar:${name}`))).toMatchObject({
      code: 'REFERENCE_INVALID',
      facts: { reason: expect.stringContaining('.tar.zst') as string }
    })
  })

  test.each([
    ['missing', 'tar:W/none', 'missing'],
    ['a directory', 'tar:W', 'not a regular file'],
    ['a pipe', 'tar:W/pipe', 'pipe']
  ])('%s is told', async (_what, name, found) => {
    ok('mkfifo', `${work}/pipe`)
    await expect(openImages(parseImageName(name.replace('W', work)))).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
      facts: { found }
    })
  })
})

describe('an export', () => {
  const LAYERS = [
    tar(
      directory('a/', { mtime: 3 }),
      file('a/kept', 'kept', { mtime: 1 }),
      file('a/gone', 'gone'),
      directory('b/'),
      file('b/hidden', 'hidden'),
      file('c', 'replaced by a directory')
    ),
    tar(
      file('a/.wh.gone'),
      file('b/.wh..wh..opq'),
      file('b/new', 'new'),
      directory('c/', { mode: 0o500 }),
      file('c/in', 'in'),
      hardlink('d', 'a/kept'),
      file('e/implicit', 'e')
    )
  ]
  const image = (): string => buildImage(`${work}/source`, { layers: LAYERS, tag: 't' }).reference

  test('is what an unpack makes, and stays so with GNU tar', async () => {
    const source = image()
    await copied(source, `tar:${work}/out.tar`)
    const first = await unpacked(source, 'first')
    expect(compareTrees(first, await unpacked(`tar:${work}/out.tar`, 'second'))).toEqual([])
    if (!needs('root')) return
    mkdirSync(`${work}/tar`)
    ok('tar', '--numeric-owner', '-xpf', `${work}/out.tar`, '-C', `${work}/tar`)
    expect(compareTrees(first, `${work}/tar`)).toEqual([])
  })

  test('keeps holes', async () => {
    await copied(written('base', tar(...ROOT)), `tar:${work}/out.tar`)
    expect(readFileSync(`${work}/out.tar`, 'latin1')).toContain('GNU.sparse.realsize=300000')
    expect(readFileSync(`${work}/out.tar`).length).toBeLessThan(40_000)
  })

  test('of one hole and nothing else can be read', async () => {
    const map = Buffer.from('1\n300000\n0\n'.padEnd(512, '\0'))
    const hole = { ...file('x', map), pax: { ...HOLES, 'GNU.sparse.name': 'hole' } }
    // without end blocks, the hole is where the archive ends
    await copied(written('base', tar(hole).subarray(0, -1024)), `tar:${work}/out.tar`)
    const root = await unpacked(`tar:${work}/out.tar`, 'root')
    expect(readFileSync(`${root}/hole`).equals(Buffer.alloc(300_000))).toBe(true)
  })

  test('never replaces anything, and an archive is not its own source', async () => {
    const base = written('base.tar', tar(...ROOT))
    expect(await codeOf(copied(base, base))).toBe('ARCHIVE_EXISTS')
    expect(readFileSync(`${work}/base.tar`).equals(tar(...ROOT))).toBe(true)
  })

  test.each(FORMATS)('as %s leaves nothing behind if it fails', async (suffix) => {
    const { layout, layers } = buildImage(`${work}/source`, { layers: LAYERS, tag: 't' })
    appendFileSync(`${layout}/blobs/sha256/${layers[1]!.digest.slice(7)}`, 'x')
    mkdirSync(`${work}/there`)
    const to = `tar:${work}/there/out.${suffix}`
    expect(await codeOf(copied(`${layout}:t`, to))).toBe('BLOB_SIZE_MISMATCH')
    const stopped = copy({
      source: `${layout}:t`,
      destination: to,
      jobs: 0,
      signal: AbortSignal.abort()
    })
    expect(await codeOf(stopped)).toBe('ABORTED')
    expect(readdirSync(`${work}/there`)).toEqual([])
  })

  test.each(['tar.xz', 'tar.bz2'])('as %s needs a program', async (suffix) => {
    const source = image()
    mkdirSync(`${work}/there`)
    vi.stubEnv('PATH', work)
    const to = `tar:${work}/there/out.${suffix}`
    expect(await codeOf(copied(source, to))).toBe('COMPRESSOR_UNAVAILABLE')
    expect(readdirSync(`${work}/there`)).toEqual([])
  })

  test('whose program fails leaves nothing behind', async () => {
    const source = image()
    mkdirSync(`${work}/there`)
    writeFileSync(`${work}/xz`, '#!/bin/sh\nexit 3\n', { mode: 0o755 })
    vi.stubEnv('PATH', `${work}:${process.env.PATH}`)
    const failed = copied(source, `tar:${work}/there/out.tar.xz`)
    await expect(failed).rejects.toMatchObject({
      code: 'COMPRESSOR_FAILED',
      facts: { path: `${work}/xz` }
    })
    expect(readdirSync(`${work}/there`)).toEqual([])
  })

  test('removes what a killed one left behind', async () => {
    mkdirSync(`${work}/there`)
    mkdirSync(`${work}/there/${privateName('out.tar')}`)
    await copied(image(), `tar:${work}/there/out.tar`)
    expect(readdirSync(`${work}/there`)).toEqual(['out.tar'])
  })

  test('respects limits', async () => {
    const limited = { source: image(), destination: `tar:${work}/out.tar`, jobs: 0 }
    expect(await codeOf(copy({ ...limited, limits: { entries: 3 } }))).toBe('LIMIT_EXCEEDED')
  })
})

const runs = Number(process.env['OCI_UNPACK_PROPERTY_RUNS'] ?? 100)

test.runIf(needs('root'))('an export of any image is what an unpack of it makes', async () => {
  let number = 0
  await fc.assert(
    fc.asyncProperty(layerStack, async (stack) => {
      const here = `${work}/${number++}`
      const layers = stack.map(layerTar)
      const { reference } = buildImage(`${here}/source`, { layers, tag: 't' })
      const one = { image: reference, destination: `${here}/one`, jobs: 0 }
      const code = await codeOf(unpackRootfs(one))
      const exported = await codeOf(copied(reference, `tar:${here}/out.tar`))
      expect(exported).toBe(code)
      if (code !== 'no failure') return
      await unpackRootfs({ image: `tar:${here}/out.tar`, destination: `${here}/two`, jobs: 0 })
      expect(compareTrees(`${here}/one`, `${here}/two`)).toEqual([])
    }),
    { numRuns: runs / 20 }
  )
})

/** Each makes an archive of the directory. */
const MAKERS: readonly (readonly [program: string, ...args: string[]])[] = [
  ['tar', '--format=gnu', '-cf', 'OUT', '-C', 'DIR', '.'],
  [
    'tar',
    '--format=posix',
    '--sparse',
    '--xattrs',
    '--numeric-owner',
    '-cf',
    'OUT',
    '-C',
    'DIR',
    '.'
  ],
  ['tar', '--format=v7', '-cf', 'OUT', '-C', 'DIR', 'etc', 'holes', 'usr'],
  ['bsdtar', '--format=pax', '-cf', 'OUT', '-C', 'DIR', '.'],
  ['bsdtar', '--format=gnutar', '-cf', 'OUT', '-C', 'DIR', '.'],
  [
    'python3',
    '-c',
    'import sys,tarfile; t=tarfile.open(sys.argv[1],"w",format=tarfile.PAX_FORMAT); t.add(sys.argv[2],""); t.close()',
    'OUT',
    'DIR'
  ],
  [
    'python3',
    '-c',
    'import sys,tarfile; t=tarfile.open(sys.argv[1],"w",format=tarfile.GNU_FORMAT); t.add(sys.argv[2],"."); t.close()',
    'OUT',
    'DIR'
  ]
]

test.each(MAKERS)('an archive that %s %s made', async (program, ...args) => {
  const from = `${work}/dir`
  mkdirSync(`${from}/usr/bin`, { recursive: true })
  mkdirSync(`${from}/etc`)
  writeFileSync(`${from}/usr/bin/a`, 'program', { mode: 0o755 })
  ok('ln', `${from}/usr/bin/a`, `${from}/usr/bin/b`)
  ok('ln', '-s', 'usr/bin', `${from}/etc/link`)
  ok('truncate', '-s', '1M', `${from}/holes`)
  appendFileSync(`${from}/holes`, 'end')
  ok(
    'touch',
    '-h',
    '-d',
    '@1000000000',
    ...['usr/bin/a', 'etc/link', 'holes', 'usr/bin', 'usr', 'etc', '.'].map(
      (name) => `${from}/${name}`
    )
  )
  ok(program, ...args.map((arg) => arg.replace('OUT', `${work}/made`).replace('DIR', from)))
  const hasRoot = args.includes('.') || program === 'python3'
  // an unpack by others than root notes the owners
  const ignore = ['*:uid,gid,xattr.user.rootlesscontainers', ...(hasRoot ? [] : ['.:*'])]
  const first = await unpacked(`tar:${work}/made`, 'first')
  expect(compareTrees(from, first, ignore)).toEqual([])
  await copied(`tar:${work}/made`, `tar:${work}/out.tar`)
  expect(compareTrees(first, await unpacked(`tar:${work}/out.tar`, 'second'))).toEqual([])
})
