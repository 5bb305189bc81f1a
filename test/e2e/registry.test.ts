/** Images on a real registry, from the first unpack to the last tag, with skopeo and buildah as other clients of it. */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareTrees } from '../support/compare-trees.ts'
import { startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts'
import { buildImage } from '../support/image-builder.ts'
import { longTests, needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { directory, file, tar } from '../support/tar-builder.ts'
import { ociUnpack, ociUnpackOk } from './cli.ts'
import { cachedLayout, DEBIAN_NEEDS } from './debian-image.ts'

let registry: DockerRegistry
let work = ''

/** What the registry was asked for since the last call: method and path. */
let seen = 0
function requests(): string[] {
  const lines = registry.log().slice(seen)
  seen = registry.log().length
  return [...lines.matchAll(/"(GET|HEAD|POST|PUT|PATCH|DELETE) (\S+) HTTP[^"]*" (\d+)/g)].map(
    ([, method, path, status]) => `${method} ${path} ${status}`
  )
}

async function requestsOf(act: () => unknown): Promise<string[]> {
  await logged()
  requests()
  act()
  await logged()
  return requests()
}

/** Until the log of the other process has arrived here. */
function logged(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 100))
}

function changes(asked: readonly string[]): string[] {
  return asked
    .filter((line) => /^(?:PUT|PATCH|DELETE)/.test(line))
    .map((line) => line.split('?')[0]!)
}

const at = (name: string): string => `docker://${registry.host}/${name}`
const skopeo = (...args: string[]): void =>
  void ok('skopeo', 'copy', '--quiet', '--src-tls-verify=false', '--dest-tls-verify=false', ...args)

const SIZES: readonly ('small' | 'large')[] = longTests() ? ['small', 'large'] : ['small']

describe.runIf(needs('docker-registry', 'root', 'skopeo'))(
  'a registry',
  { timeout: 600_000 },
  () => {
    beforeAll(async () => {
      registry = await startDockerRegistry()
      work = makeTemporary()
    })
    afterAll(async () => {
      await registry.close()
      removeTemporary(work)
    })

    describe.runIf(needs(...DEBIAN_NEEDS)).each(SIZES)('with the %s Debian image', (size) => {
      const bundle = (): string => `${work}/${size}`
      const name = `debian/${size}`

      test('gives a bundle that equals that of a layout, and leaves no blob behind', () => {
        const layout = cachedLayout(size)
        skopeo(`oci:${layout}:debian`, at(`${name}:12`))
        ociUnpackOk('unpack', '--image', at(`${name}:12`), bundle())
        ociUnpackOk('raw', 'unpack', '--image', `${layout}:debian`, `${work}/${size}-tree`)
        expect(compareTrees(`${bundle()}/rootfs`, `${work}/${size}-tree`)).toEqual([])
        rmSync(`${work}/${size}-tree`, { recursive: true })
      })

      test('takes a repack as one layer, config and manifest, which skopeo pulls', async () => {
        writeFileSync(`${bundle()}/rootfs/etc/motd`, 'Welcome\n')
        rmSync(`${bundle()}/rootfs/usr/share/doc`, { recursive: true })
        mkdirSync(`${bundle()}/rootfs/opt/app`)
        const asked = await requestsOf(() =>
          ociUnpackOk('repack', '--image', at(`${name}:new`), bundle())
        )
        const put = changes(asked)
        expect(put.filter((line) => line.includes('/blobs/uploads/'))).toHaveLength(2)
        expect(put.filter((line) => line.includes('/manifests/'))).toEqual([
          expect.stringMatching(/^PUT .*\/manifests\/new/)
        ])
        expect(put).toHaveLength(3)
        skopeo(at(`${name}:new`), `oci:${work}/${size}-back:new`)
        ociUnpackOk('raw', 'unpack', '--image', `${work}/${size}-back:new`, `${work}/${size}-tree`)
        expect(compareTrees(`${bundle()}/rootfs`, `${work}/${size}-tree`)).toEqual([])
        for (const made of ['back', 'tree']) rmSync(`${work}/${size}-${made}`, { recursive: true })
        expect(registry.openUploads()).toBe(0)
      })

      test('mounts what another of its repositories has', async () => {
        const asked = await requestsOf(() =>
          ociUnpackOk('repack', '--image', at(`other/${size}:new`), bundle())
        )
        // a registry takes blobs from there without a PUT, also those of the repack before
        const put = changes(asked).filter((line) => line.startsWith('PUT'))
        const uploads = put.filter((line) => line.includes('/blobs/uploads/'))
        expect(uploads.length).toBeLessThanOrEqual(2)
        expect(ociUnpackOk('verify', '--image', at(`other/${size}:new`)).stdout).not.toContain(
          'missing'
        )
      })

      test('gives a layout what that lacks of the base when the bundle is repacked there', () => {
        ociUnpackOk('init', '--layout', `${work}/${size}-layout`)
        ociUnpackOk('repack', '--image', `${work}/${size}-layout:new`, bundle())
        ociUnpackOk('verify', '--image', `${work}/${size}-layout:new`)
        rmSync(`${work}/${size}-layout`, { recursive: true })
      })
    })

    describe('with a small image', () => {
      const layers = [tar(directory('etc/'), file('etc/a', 'one')), tar(file('etc/b', 'two'))]
      const image = 'team/app'
      beforeAll(() => {
        const { reference } = buildImage(`${work}/made`, { layers })
        ociUnpackOk('copy', reference, at(`${image}:1`))
      })

      test('can be changed in place: config, tags, inserted files, a new image', async () => {
        const asked = await requestsOf(() => {
          ociUnpackOk(
            'config',
            '--image',
            at(`${image}:1`),
            '--tag',
            '2',
            '--config.cmd',
            '/bin/true'
          )
          ociUnpackOk('tag', '--image', at(`${image}:2`), 'stable')
          writeFileSync(`${work}/file`, 'inserted')
          ociUnpackOk('insert', '--image', at(`${image}:stable`), `${work}/file`, '/etc/c')
          ociUnpackOk('new', '--image', at('team/empty:0'))
        })
        expect(changes(asked).filter((line) => line.startsWith('DELETE'))).toEqual([])
        const tags = ociUnpackOk('list', '--layout', at(image)).stdout.trim().split('\n')
        expect(tags.sort()).toEqual(['1', '2', 'stable'])
        const cat = (tag: string): string =>
          ociUnpack('file', 'cat', '--image', at(`${image}:${tag}`), 'etc/c').stdout
        expect([cat('stable'), cat('2')]).toEqual(['inserted', ''])
        const { manifest } = JSON.parse(
          ociUnpackOk('stat', '--json', '--image', at(`${image}:2`)).stdout
        ) as { manifest: unknown }
        expect(manifest).toBeDefined()
        skopeo(at('team/empty:0'), `oci:${work}/empty:0`)
        if (needs('buildah')) pullByBuildah(`${image}:stable`)
        expect(privateLayouts()).toEqual([])
      })

      test('is copied to and from every other place, with the same digests', () => {
        for (const [place, back] of [
          [`oci:${work}/copy:1`, 'copy/oci:1'],
          [`oci-archive:${work}/copy.tar:1`, 'copy/archive:1']
        ] as const) {
          ociUnpackOk('copy', at(`${image}:1`), place)
          ociUnpackOk('copy', place, at(back))
          const digest = (name: string): string =>
            createHash('sha256')
              .update(ok('skopeo', 'inspect', '--raw', '--tls-verify=false', name).stdout)
              .digest('hex')
          expect(digest(at(back))).toBe(digest(at(`${image}:1`)))
        }
        ociUnpackOk('copy', at(`${image}:1`), `docker-archive:${work}/saved.tar:app:1`)
        ociUnpackOk('copy', at(`${image}:1`), `tar:${work}/root.tar`)
        expect(ok('tar', '-tf', `${work}/root.tar`).stdout).toContain('etc/b')
      })

      test('leaves its blobs in a layout if that is asked for, and fetches none again', async () => {
        const unpack = (to: string): void => {
          const flags = ['--image', at(`${image}:1`), '--layout', `${work}/cache`]
          ociUnpackOk('unpack', ...flags, `${work}/${to}`)
        }
        unpack('kept')
        const asked = await requestsOf(() => unpack('again'))
        expect(asked.filter((line) => line.includes('/blobs/'))).toHaveLength(1)
        ociUnpackOk('verify', '--image', `${work}/cache:1`)
        writeFileSync(`${work}/kept/rootfs/etc/a`, 'changed')
        ociUnpackOk('repack', '--image', `${work}/cache:2`, `${work}/kept`)
      })

      test('copies between repositories of one registry without any bytes', async () => {
        const asked = await requestsOf(() =>
          ociUnpackOk('copy', at(`${image}:1`), at('team/mounted:1'))
        )
        expect(asked.filter((line) => line.startsWith('PUT') && line.includes('uploads'))).toEqual(
          []
        )
        expect(
          asked.filter((line) => line.includes('/team/app/blobs/') && line.startsWith('GET'))
        ).toHaveLength(0)
      })

      test('can be repacked elsewhere after its bundle was refreshed', () => {
        ociUnpackOk('unpack', '--image', at(`${image}:1`), `${work}/moved`)
        writeFileSync(`${work}/moved/rootfs/etc/a`, 'first')
        const repack = (to: string, ...flags: string[]): unknown =>
          ociUnpackOk('repack', ...flags, '--image', at(to), `${work}/moved`)
        repack('team/elsewhere:1', '--refresh-bundle')
        writeFileSync(`${work}/moved/rootfs/etc/a`, 'second')
        repack('team/third:1')
        repack(`${image}:moved`)
      })

      test('gets no tag that a registry cannot have, and a repository is not verified as a whole', () => {
        for (const [args, code] of [
          [['tag', '--image', at(`${image}:1`), 'a+b'], 'REFERENCE_INVALID'],
          [['verify', '--layout', at(image)], 'REFERENCE_INVALID']
        ] as const) {
          const { status, stderr } = ociUnpack(...args)
          expect({ status, code: stderr.includes(code) }).toEqual({ status: 1, code: true })
        }
      })

      test('of which a layer must not be distributed is copied without it, with a warning', () => {
        const absent = {
          mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
          digest: `sha256:${'1'.repeat(64)}`,
          size: 1000,
          urls: ['https://example.com/layer']
        }
        const { reference } = buildImage(`${work}/foreign`, {
          layers,
          manifest: { layers: [absent] }
        })
        for (const [from, to] of [
          [reference, at('team/foreign:1')],
          [at('team/foreign:1'), `oci:${work}/foreign-copy:1`]
        ] as const)
          expect(ociUnpackOk('copy', from, to).stderr).toContain('was not copied')
      })

      test('that has a damaged layer is refused, and nothing is made', () => {
        const unlike = [tar(file('only', 'here'))]
        const { reference, layers: made } = buildImage(`${work}/damaged`, { layers: unlike })
        skopeo(`oci:${reference}`, at('team/damaged:1'))
        const damagedLayer = made[0]!.digest
        const blob = registry.blobFile(damagedLayer)
        const bytes = readFileSync(blob)
        bytes.writeUInt8(bytes.readUInt8(20) ^ 1, 20)
        writeFileSync(blob, bytes)
        const failed = ociUnpack('unpack', '--image', at('team/damaged:1'), `${work}/none`)
        expect(failed.status).toBe(1)
        expect(failed.stderr).toMatch(/BLOB_DIGEST_MISMATCH|BLOB_SIZE_MISMATCH/)
        expect(failed.stderr).toContain(registry.host)
        expect(readdirSync(work).filter((entry) => entry.includes('none'))).toEqual([])
      })
    })
  }
)

/** It cannot pull the small Debian image, with its odd entries, from anywhere, and takes minutes for the large one. */
function pullByBuildah(name: string): void {
  ok('buildah', 'pull', '--quiet', '--tls-verify=false', at(name))
  ok('buildah', 'rmi', '--force', `${registry.host}/${name}`)
}

function privateLayouts(): string[] {
  return readdirSync(process.env['TMPDIR'] ?? '/tmp').filter((name) => name.startsWith('.layout.'))
}
