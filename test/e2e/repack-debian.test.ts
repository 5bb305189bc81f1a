/** Issue "from a changed directory back to an image", on the real Debian image, judged by other programs. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBlob } from '../../src/store/blob.ts'
import { openLayout } from '../../src/store/layout.ts'
import { resolveImage } from '../../src/store/resolve.ts'
import { compareTrees } from '../support/compare-trees.ts'
import { longTests, needs } from '../support/requires.ts'
import { ok } from '../support/run.ts'
import { makeTemporary, removeTemporary } from '../support/temporary.ts'
import { ociUnpackOk } from './cli.ts'
import { DEBIAN_NEEDS, debianLayout } from './debian-image.ts'

const script = new URL('../support/scripted-changes.sh', import.meta.url).pathname

/** What a bundle of umoci cannot know: fractions of a second, and the numbers of devices. */
const UNSEEN_WITHOUT_FINGERPRINTS = [
  'etc/profile: mtime 1618084800.987654321 != 1618084800.000000000',
  'srv/odds/char: device 7:7 != 1:3'
]

describe.runIf(longTests() && needs(...DEBIAN_NEEDS, 'dpkg-deb'))(
  'a real Debian image, changed in every way',
  { timeout: 300_000 },
  () => {
    let work: string
    let layout: string

    beforeAll(() => {
      work = makeTemporary()
      layout = `${work}/layout`
      ok('cp', '-a', debianLayout(), layout)
      ociUnpackOk('unpack', '--image', `${layout}:debian`, `${work}/bundle`)
      ok(script, `${work}/bundle/rootfs`)
      ociUnpackOk('repack', '--image', `${layout}:changed`, `${work}/bundle`)
    }, 600_000)
    afterAll(() => removeTemporary(work))

    test('unpacks to the changed tree, in every field', () => {
      expect(difference('changed')).toEqual([])
    })

    test('unpacks to the changed tree with umoci too', () => {
      ok('umoci', 'raw', 'unpack', '--image', `${layout}:changed`, `${work}/by-umoci`)
      expect(compareTrees(`${work}/bundle/rootfs`, `${work}/by-umoci`)).toEqual([])
      removeTemporary(`${work}/by-umoci`)
    })

    test('has the same layer again, and with any number of jobs', () => {
      const digests = ['1', '3', '8'].map((jobs) => {
        ociUnpackOk('repack', '--jobs', jobs, '--image', `${layout}:again`, `${work}/bundle`)
        return topLayer('again')
      })
      expect(digests).toEqual(Array<string>(3).fill(topLayer('changed')))
    })

    test.each([
      ['zstd', 'application/vnd.oci.image.layer.v1.tar+zstd'],
      ['none', 'application/vnd.oci.image.layer.v1.tar']
    ])('unpacks to the changed tree from a layer packed with %s', (compress, mediaType) => {
      const options = ['--compress', compress, '--image', `${layout}:${compress}`]
      ociUnpackOk('repack', ...options, `${work}/bundle`)
      expect(image(compress).manifest.layers.at(-1)?.mediaType).toBe(mediaType)
      expect(difference(compress)).toEqual([])
    })

    test('is copied by skopeo to another layout and to an archive for Docker', () => {
      ok('skopeo', 'copy', '--quiet', `oci:${layout}:changed`, `oci:${work}/copy:changed`)
      ok(
        'skopeo',
        'copy',
        '--quiet',
        `oci:${layout}:changed`,
        `docker-archive:${work}/docker.tar:a:b`
      )
      expect(ok('tar', 'tf', `${work}/docker.tar`).stdout).toContain('manifest.json')
      removeTemporary(`${work}/docker.tar`)
    })

    test('is a valid image: every document by its schema, every blob by its digest', () => {
      const { manifest, config } = image('changed')
      for (const descriptor of [manifest.config, ...manifest.layers]) {
        const blob = openBlob(openLayout(layout).blobSource(descriptor))
        while (blob.read() !== undefined);
        blob.verify()
        blob.close()
      }
      expect(config.rootfs.diff_ids).toHaveLength(manifest.layers.length)
      const seen = JSON.parse(ok('skopeo', 'inspect', `oci:${layout}:changed`).stdout) as {
        Layers: string[]
      }
      expect(seen.Layers).toEqual(manifest.layers.map(({ digest }) => digest))
    })

    test('shows what was done in its history', () => {
      const stat = ok('umoci', 'stat', '--image', `${layout}:changed`).stdout.trimEnd()
      expect(stat.split('\n').at(-1)).toContain('oci-unpack repack')
    })

    test('is changed where umoci unpacked it, but for what only fingerprints show', () => {
      ok('umoci', 'unpack', '--image', `${layout}:debian`, `${work}/umoci`)
      ok(script, `${work}/umoci/rootfs`)
      ociUnpackOk('repack', '--image', `${layout}:umoci`, `${work}/umoci`)
      ociUnpackOk('raw', 'unpack', '--image', `${layout}:umoci`, `${work}/unpacked`)
      const differences = compareTrees(`${work}/umoci/rootfs`, `${work}/unpacked`)
      expect(differences).toEqual(UNSEEN_WITHOUT_FINGERPRINTS)
      removeTemporary(`${work}/umoci`)
      removeTemporary(`${work}/unpacked`)
    })

    test('of Docker media types gets a layer of Docker media type', () => {
      ociUnpackOk('unpack', '--image', `${layout}:docker`, `${work}/docker`)
      ok(script, `${work}/docker/rootfs`)
      ociUnpackOk('repack', '--image', `${layout}:docker-changed`, `${work}/docker`)
      const types = image('docker-changed').manifest.layers.map(({ mediaType }) => mediaType)
      expect(new Set(types)).toEqual(new Set(['application/vnd.docker.image.rootfs.diff.tar.gzip']))
      expect(difference('docker-changed', `${work}/docker`)).toEqual([])
      removeTemporary(`${work}/docker`)
    })

    test('has nothing to repack after a refresh, here and with umoci', () => {
      // go-mtree loses all attributes of a file that has one above 1 KiB: umoci packs it again and again.
      ok('setfattr', '-x', 'trusted.large', `${work}/bundle/rootfs/usr/bin/cut`)
      ociUnpackOk('repack', '--refresh-bundle', '--image', `${layout}:fresh`, `${work}/bundle`)
      expect(ociUnpackOk('diff', `${work}/bundle`).stdout).toBe('')
      ok('umoci', 'repack', '--image', `${layout}:by-umoci`, `${work}/bundle`)
      expect(image('by-umoci').manifest.layers).toEqual(image('fresh').manifest.layers)
    })

    function difference(tag: string, bundle = `${work}/bundle`): string[] {
      const rootfs = `${work}/unpacked-${tag}`
      ociUnpackOk('raw', 'unpack', '--image', `${layout}:${tag}`, rootfs)
      const differences = compareTrees(`${bundle}/rootfs`, rootfs)
      removeTemporary(rootfs)
      return differences
    }

    function image(tag: string): ReturnType<typeof resolveImage> {
      return resolveImage(openLayout(layout), tag, undefined)
    }

    function topLayer(tag: string): string {
      return image(tag).manifest.layers.at(-1)!.digest
    }
  }
)
