/** The images that the pages for those who come from other programs are about. */
import { join } from 'node:path'
import { blobPath, buildImage, storeJson, writeIndex } from '../support/image-builder.ts'
import { ok } from '../support/run.ts'
import { directory, file, hardlink, symlink, tar } from '../support/tar-builder.ts'

/** Revision 2, effective; permitted: CAP_NET_BIND_SERVICE (capabilities(7), linux/capability.h). */
const BIND_SERVICE = '\x01\0\0\x02\0\x04\0\0' + '\0'.repeat(12)

const BASE = tar(
  directory('etc/', { mtime: 1_000_000_000 }),
  file('etc/motd', 'old\n', { mtime: 1_000_000_000 }),
  file('etc/removed', 'x', { mtime: 1_000_000_000 }),
  directory('etc/service/'),
  file('etc/service/first', 'old\n'),
  directory('usr/'),
  directory('usr/bin/'),
  file('usr/bin/server', 'a program\n', {
    mode: 0o755,
    pax: { 'SCHILY.xattr.security.capability': BIND_SERVICE }
  })
)

/** It deletes, and it puts something new in the place of what it deletes; nobody describes `etc` again. */
const CHANGES = tar(
  file('etc/.wh.removed'),
  file('etc/motd', 'new\n'),
  file('etc/service/.wh..wh..opq'),
  file('etc/.wh.hosts'),
  file('etc/hosts', '127.0.0.1 localhost\n'),
  hardlink('usr/bin/client', 'usr/bin/server')
)

/** Each layer alone is harmless. */
const LINK = tar(symlink('data', '../outside'))
const THROUGH_LINK = tar(file('data/file', 'from the image\n'))

export function buildPageImages(place: string): void {
  buildImage(join(place, 'image'), {
    layers: [BASE, CHANGES],
    config: { config: { Entrypoint: ['/usr/bin/server'] } }
  })
  buildImage(join(place, 'hostile'), { layers: [LINK, THROUGH_LINK] })
  buildDamaged(join(place, 'damaged'))
  buildMulti(place)
  ok('skopeo', 'copy', '-q', `oci:${place}/image:latest`, `docker-archive:${place}/saved.tar:app:1`)
}

/** A layer was replaced by another one that is whole by itself. */
function buildDamaged(layout: string): void {
  const { layers } = buildImage(layout, { layers: [tar(file('password', 'one that is good\n'))] })
  const other = buildImage(`${layout}-other`, { layers: [tar(file('password', 'and one not\n'))] })
  ok('mv', blobPath(other.layout, other.layers[0]!), blobPath(layout, layers[0]!))
  ok('rm', '-r', other.layout)
}

/** A tag for two platforms. */
function buildMulti(place: string): void {
  const layout = join(place, 'multi')
  const manifests = ['amd64', 'arm64'].map((architecture) => {
    const layers = [tar(file('arch', `${architecture}\n`))]
    const { manifest } = buildImage(layout, { layers, config: { architecture } })
    return { ...manifest, platform: { os: 'linux', architecture } }
  })
  const mediaType = 'application/vnd.oci.image.index.v1+json'
  const entry = storeJson(layout, mediaType, { schemaVersion: 2, mediaType, manifests })
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' }
  writeIndex(layout, [{ ...entry, annotations }])
}
