/** Holds images to what `erofs.json` says about them. */
import { OciUnpackError, type Facts } from '../../errors.ts'
import { BLOCK } from '../../erofs/format.ts'
import { digestHex } from '../../image/digest.ts'
import type { ErofsFacts } from '../../rootfs/read-erofs.ts'
import type { TreeFacts } from '../../rootfs/read-hash-tree.ts'
import type { Status } from '../../sys/status.ts'
import { SUPERBLOCK_BYTES, treeHeader, VERITY_BLOCK } from '../../verity/hash-tree.ts'
import type { ErofsFile, ImageSet, VerityFile } from './image-set.ts'
import { layerUuid, mergedUuid } from './image-uuid.ts'

/** An image of a set, and what must be in it. */
export interface ExpectedImage extends ErofsFile {
  /** In hex. */
  uuid: string
  /** The files that it needs, in its order. */
  devices: readonly ErofsFile[]
}

/** Layers first, bottom first, each once; the merged image is the last. */
export function expectedImages({ image, merged, devices }: ImageSet): ExpectedImage[] {
  const layers = devices.map(({ diffId, name, digest, size }) => ({
    ...{ name, digest, size },
    uuid: hex(layerUuid(diffId)),
    devices: []
  }))
  const once = new Map(layers.map((layer) => [layer.name, layer]))
  return [...once.values(), { ...merged, uuid: hex(mergedUuid(image.chainId, 'devices')), devices }]
}

/** @throws EROFS_INVALID with the name of the file and what differs, except for its digest */
export function compareImage(expected: ExpectedImage, found: ErofsFacts): void {
  compareSize(expected, found.size)
  compare(expected, 'it is the image of something else', {
    expected: `UUID ${expected.uuid}`,
    found: `UUID ${found.uuid}`
  })
  compare(expected, 'it needs another number of devices', {
    expected: expected.devices.length,
    found: found.devices.length
  })
  found.devices.forEach(({ blocks, tag }, i) => {
    const { size, digest } = expected.devices[i]!
    compare(expected, `it needs another device ${i + 1}`, {
      expected: `${size} bytes, ${digestHex(digest)}`,
      found: `${blocks * BLOCK} bytes, ${tag}`
    })
  })
}

/** What can be said of a file before it is read. @throws EROFS_INVALID */
export function compareFile(
  expected: ErofsFile,
  { type, size }: Pick<Status, 'type' | 'size'>
): void {
  compare(expected, 'it is not a regular file', { expected: 'file', found: type })
  compareSize(expected, size)
}

function compareSize(expected: ErofsFile, found: number): void {
  compare(expected, 'its file has another size', { expected: expected.size, found })
}

/** @throws EROFS_INVALID */
export function compareDigest(expected: ErofsFile, sha256: string): void {
  compare(expected, 'it has another content', {
    expected: expected.digest,
    found: `sha256:${sha256}`
  })
}

/** @param image that the tree is of @throws EROFS_INVALID */
export function compareTree(expected: VerityFile, image: ExpectedImage, found: TreeFacts): void {
  const { uuid, size } = image
  const header = treeHeader(size / VERITY_BLOCK, Buffer.from(uuid, 'hex'))
  compare(expected, 'its superblock says something else', {
    expected: hex(header.subarray(0, SUPERBLOCK_BYTES)),
    found: hex(found.header.subarray(0, SUPERBLOCK_BYTES))
  })
  compare(expected, 'it has another root hash', {
    expected: expected.rootHash,
    found: found.rootHash
  })
}

function compare({ name }: ErofsFile, reason: string, facts: Facts): void {
  if (facts.expected === facts.found) return
  throw new OciUnpackError('EROFS_INVALID', 'An EROFS image is not the one that was made.', {
    facts: { file: name, reason, ...facts },
    hint: 'Make the images again.'
  })
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
