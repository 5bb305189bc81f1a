/** Images that end in an error, and what their errors must name: for every way to unpack. */
import { truncateSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import {
  blobPath,
  sha256,
  type BuiltImage,
  type Image,
  type Layer
} from '../support/image-builder.ts'
import {
  char,
  directory,
  file,
  hardlink,
  symlink,
  tar,
  type Entry
} from '../support/tar-builder.ts'
import { replaceByFifo, replaceBySymlink, type Sandbox } from './sandbox.ts'

const GOOD = tar(
  directory('etc/'),
  file('etc/passwd', 'root:x:0:0::/root:/bin/sh\n'),
  file('good', 'body')
)
const PLAIN: Layer = {
  tar: tar(file('good', 'body')),
  blob: tar(file('good', 'body')),
  mediaType: 'application/vnd.oci.image.layer.v1.tar'
}
const OTHER_DIGEST = sha256(Buffer.from('something else'))

export interface HostileCase {
  name: string
  /** Stable code of the error. */
  code: string
  image: Image
  /** What is done to the layout after it was built. */
  damage?: (image: BuiltImage, box: Sandbox) => void
  /** The layer that the message must name, by its place; -1 is the last. */
  layer?: number
  /** The entry that the message must name, or other text it must hold. */
  says?: string[]
}

const BAD_ENTRIES: readonly [name: string, says: string, ...entries: Entry[]][] = [
  ['a root entry that is a symlink', '/', symlink('.', 'outside')],
  ['a root entry that is a file', '/', file('./', 'body')],
  ['a root entry behind dots', '/', file('a/..', 'body')],
  ['an empty name that is not a directory', '/', file('', 'body')],
  ['a whiteout of nothing', 'etc/.wh.', file('etc/.wh.')],
  ['a whiteout of the directory itself', 'etc/.wh..', file('etc/.wh..')],
  ['a whiteout of the directory above', 'etc/.wh...', file('etc/.wh...')],
  ['a link to what is outside', 'link', hardlink('link', '../../outside/file')],
  ['a link to an absolute path outside', 'link', hardlink('link', '/proc/self/environ')],
  ['a link to itself', 'link', hardlink('link', 'link')],
  ['a link to a directory', 'link', directory('d/'), hardlink('link', 'd')],
  [
    'a link through a symlink that leads out',
    'link',
    symlink('out', '../../outside'),
    hardlink('link', 'out/file')
  ],
  ['a symlink to nothing', 'link', symlink('link', '')],
  ['an owner that means "leave as it is"', 'owned', file('owned', '', { uid: 2 ** 32 - 1 })],
  ['a group above 32 bits', 'owned', file('owned', '', { gid: 2 ** 32 + 1 })],
  ['a negative owner', 'owned', file('owned', '', { uid: -1 })],
  ['an owner above 32 bits in PAX', 'owned', file('owned', '', { pax: { uid: '4294967296' } })],
  ['a negative size', 'sized', file('sized', '', { size: -1 })],
  ['a negative size in PAX', 'sized', file('sized', '', { pax: { size: '-1' } })],
  ['an unknown type', 'typed', { name: 'typed', flag: 'Z' }],
  ['a name with a NUL in PAX', 'a\\x00b', file('pax', '', { pax: { path: 'a\0b' } })],
  ['a component of 256 bytes', 'nnnn', file('n'.repeat(256))],
  ['a path 100,000 deep', 'a/a/a/', file(`${'a/'.repeat(100_000)}file`)],
  [
    'loops of symlinks as parents',
    'loop/file',
    symlink('loop', 'pool'),
    symlink('pool', 'loop'),
    file('loop/file')
  ],
  ["a device with numbers beyond the kernel's", 'device', char('device', 2 ** 33, 1)]
]

export const HOSTILE_CASES: readonly HostileCase[] = [
  ...BAD_ENTRIES.map(([name, says, ...entries]) => badEntries(name, says, entries)),
  lying('a digest of something else', 'BLOB_DIGEST_MISMATCH', PLAIN, (image) =>
    writeFileSync(blobPath(image.layout, image.layers[1]!), tar(file('good', 'bodY')))
  ),
  lying('a size too small', 'BLOB_SIZE_MISMATCH', { tar: GOOD, descriptor: { size: 20 } }),
  lying('a size too large', 'BLOB_SIZE_MISMATCH', { tar: GOOD, descriptor: { size: 1 << 20 } }),
  lying('a blob that is cut off', 'BLOB_SIZE_MISMATCH', { tar: GOOD }, (image) =>
    truncateSync(blobPath(image.layout, image.layers[1]!), 60)
  ),
  lying('a blob that is not there', 'BLOB_NOT_FOUND', {
    tar: GOOD,
    descriptor: { digest: OTHER_DIGEST }
  }),
  lying('a diff id of something else', 'DIFF_ID_MISMATCH', { tar: GOOD, diffId: OTHER_DIGEST }),
  lying('a tar that is cut off', 'TAR_INVALID', { tar: GOOD.subarray(0, 700) }),
  lying('a header with a wrong checksum', 'TAR_INVALID', {
    tar: Buffer.concat([Buffer.alloc(512, 'x'), GOOD])
  }),
  lying('rubbish after the gzip member', 'COMPRESSION_INVALID', {
    tar: GOOD,
    blob: Buffer.concat([gzipSync(GOOD), Buffer.from('rubbish')])
  }),
  lying('gzip that is cut off', 'COMPRESSION_INVALID', {
    tar: GOOD,
    blob: gzipSync(GOOD).subarray(0, -9)
  }),
  lying('gzip that says it is plain, and whose diff ID is its digest', 'DIFF_ID_MISMATCH', {
    tar: GOOD,
    diffId: sha256(gzipSync(GOOD)),
    mediaType: 'application/vnd.oci.image.layer.v1.tar'
  }),
  lying('a blob that is a link out of the layout', 'BLOB_INVALID', { tar: GOOD }, (image) =>
    replaceBySymlink(image.layout, blobPath(image.layout, image.layers[1]!))
  ),
  lying('a blob that is a FIFO', 'BLOB_INVALID', { tar: GOOD }, (image) =>
    replaceByFifo(blobPath(image.layout, image.layers[1]!))
  ),
  lying('an unknown layer type', 'MEDIA_TYPE_UNSUPPORTED', {
    tar: GOOD,
    mediaType: 'application/x-zip'
  }),
  whole('too few diff ids', 'DOCUMENT_INVALID', { layers: [GOOD, GOOD], diffIds: [sha256(GOOD)] }),
  whole('too many diff ids', 'DOCUMENT_INVALID', {
    layers: [GOOD],
    diffIds: [sha256(GOOD), sha256(GOOD)]
  }),
  whole('a manifest that is also an index', 'DOCUMENT_INVALID', {
    layers: [GOOD],
    manifest: { manifests: [] }
  }),
  whole('a negative size in the manifest', 'DOCUMENT_INVALID', {
    layers: [{ tar: GOOD, descriptor: { size: -1 } }]
  }),
  whole('a digest that climbs', 'DOCUMENT_INVALID', {
    layers: [{ tar: GOOD, descriptor: { digest: 'sha256:../../../victim' } }]
  }),
  whole('an index that is a FIFO', 'LAYOUT_INVALID', { layers: [GOOD] }, (image) =>
    replaceByFifo(`${image.layout}/index.json`)
  ),
  whole('a config that is a FIFO', 'BLOB_INVALID', { layers: [GOOD] }, (image) =>
    replaceByFifo(blobPath(image.layout, image.config))
  ),
  whole('a user that is not there', 'USER_NOT_FOUND', {
    layers: [GOOD],
    config: { config: { User: 'nobody' } }
  }),
  whole('a user in a passwd that is a FIFO', 'USER_NOT_FOUND', {
    layers: [tar({ name: 'etc/passwd', flag: '6' })],
    config: { config: { User: 'nobody' } }
  })
]

function badEntries(name: string, says: string, entries: Entry[]): HostileCase {
  return { name, code: '', image: { layers: [GOOD, tar(...entries)] }, layer: -1, says: [says] }
}

/** A bad layer above a good one. */
function lying(
  name: string,
  code: string,
  layer: Layer,
  damage: HostileCase['damage'] = () => undefined
): HostileCase {
  return { name, code, image: { layers: [tar(file('lower')), layer] }, damage, layer: 1 }
}

function whole(
  name: string,
  code: string,
  image: Image,
  damage: HostileCase['damage'] = () => undefined
): HostileCase {
  return { name, code, image, damage }
}
