/** Archives that are compressed as a whole, as Nix, kiwi and Fedora ship them. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { spool } from '../../src/archive/spool-archive.ts'
import { openBlob } from '../../src/store/blob.ts'
import { resolveImage } from '../../src/store/resolve.ts'
import { parseImageName } from '../../src/transports/image-name.ts'
import { withImages } from '../../src/transports/open-images.ts'
import { codeOf } from '../engine/support.ts'
import { library } from '../support/dist.ts'
import { buildImage } from '../support/image-builder.ts'
import { ok } from '../support/run.ts'
import { file, tar } from '../support/tar-builder.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { unpackOptions } from '../support/whoever.ts'

const LAYER = tar(file('a', 'body'))

let work: string
let plain: Record<'oci-archive' | 'docker-archive', Buffer>
beforeEach(async () => {
  work = makeTemporary()
  mkdirSync(`${work}/tmp`)
  vi.stubEnv('TMPDIR', `${work}/tmp`)
  const { reference } = buildImage(`${work}/layout`, { layers: [LAYER], tag: 't' })
  const made = async (transport: string): Promise<Buffer> => {
    await library.copy({ source: reference, destination: `${transport}:${work}/plain`, jobs: 0 })
    const bytes = readFileSync(`${work}/plain`)
    ok('rm', `${work}/plain`)
    return bytes
  }
  plain = {
    'oci-archive': await made('oci-archive'),
    'docker-archive': await made('docker-archive')
  }
})
afterEach(() => {
  vi.unstubAllEnvs()
  removeTemporary(work)
})

const PACK: readonly [format: string, pack: (bytes: Buffer) => Buffer][] = [
  ['gzip', (bytes) => gzipSync(bytes)],
  ...['zstd', 'xz', 'bzip2'].map((name): [string, (bytes: Buffer) => Buffer] => [
    name,
    (input) => execFileSync(name, ['-c'], { input })
  ])
]

/** Descriptors of this process that lead to files without names. */
function unnamed(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`)
      return target.startsWith(work) && target.endsWith('(deleted)') ? [target] : []
    } catch {
      return []
    }
  })
}

describe.each(['oci-archive', 'docker-archive'] as const)('%s', (transport) => {
  test.each(PACK)('with %s is read through a file without a name', async (_format, pack) => {
    const archive = `${work}/a.tar.packed`
    writeFileSync(archive, pack(plain[transport]))
    const name = parseImageName(`${transport}:${archive}`)
    await withImages(name, {}, (source) => {
      const [layer] = resolveImage(source, undefined).manifest.layers
      const blob = openBlob(source.blobSource(layer!))
      blob.verify()
      blob.close()
      expect(source.path).toBe(archive)
      expect(unnamed()).toHaveLength(1)
      expect(readdirSync(`${work}/tmp`)).toEqual([])
    })
    expect(unnamed()).toEqual([])
  })

  test('with gzip is unpacked and verified in threads', async () => {
    const archive = `${work}/a.tar.gz`
    writeFileSync(archive, gzipSync(plain[transport]))
    const image = `${transport}:${archive}`
    await library.unpackRootfs({ ...unpackOptions, image, destination: `${work}/out`, jobs: 2 })
    expect(readFileSync(`${work}/out/a`, 'latin1')).toBe('body')
    expect(await library.verify({ image, jobs: 2 })).toMatchObject({ ok: true })
    expect(await library.listImages({ layout: image })).toHaveLength(1)
    expect(unnamed()).toEqual([])
  })
})

describe('refuses, and keeps nothing open:', () => {
  const open = (bytes: Buffer, signal?: AbortSignal): Promise<unknown> => {
    writeFileSync(`${work}/a`, bytes)
    const name = parseImageName(`oci-archive:${work}/a`)
    return withImages(name, { signal }, (source) => source.readIndex())
  }
  afterEach(() => expect(unnamed()).toEqual([]))

  test.each(PACK)('damage in %s', async (_format, pack) => {
    const bytes = pack(plain['oci-archive'])
    expect(await codeOf(open(bytes.subarray(0, bytes.length - 20)))).toBe('COMPRESSION_INVALID')
  })

  test.each([
    ['xz', 'xz-utils'],
    ['bzip2', 'bzip2']
  ])('%s without the program, and names the package', async (name, packageName) => {
    const bytes = execFileSync(name, ['-c'], { input: plain['oci-archive'] })
    vi.stubEnv('PATH', `${work}/tmp`)
    await expect(open(bytes)).rejects.toMatchObject({
      code: 'DECOMPRESSOR_UNAVAILABLE',
      hint: expect.stringContaining(packageName) as string
    })
  })

  test('what is compressed twice, or is not a tar file inside', async () => {
    expect(await codeOf(open(gzipSync(gzipSync(plain['oci-archive']))))).toBe('ARCHIVE_INVALID')
    expect(await codeOf(open(gzipSync(Buffer.alloc(600, 'text'))))).toBe('TAR_INVALID')
  })

  test('a stopped operation', async () => {
    const packed = gzipSync(plain['oci-archive'])
    expect(await codeOf(open(packed, AbortSignal.abort()))).toBe('ABORTED')
  })

  test('more than an archive of its size may unpack to', async () => {
    const chunks = async function* (): AsyncGenerator<Buffer> {
      await Promise.resolve()
      yield* [Buffer.alloc(6), Buffer.alloc(5)]
    }
    expect(await codeOf(spool(chunks(), 10))).toBe('LIMIT_EXCEEDED')
  })
})
