/** How the room is used: a sink makes the images of layers, and their indexes make the image that joins them. */
import { expect, test } from 'vitest'
import { BodyPlaces, byteOffset, type Body } from '../../src/erofs/bodies.ts'
import { BLOCK } from '../../src/erofs/format.ts'
import { LayerTree } from '../../src/erofs/layer-tree.ts'
import { MergedImageTree } from '../../src/erofs/merged-tree.ts'
import { ErofsImage } from '../../src/erofs/read-image.ts'
import { walkImage } from '../../src/erofs/read-tree.ts'
import { layerImage, mergedImage, type ImageParts } from '../../src/erofs/write-image.ts'
import type { StagedEntry } from '../../src/plan/staged-entry.ts'
import { staged } from '../support/erofs-image.ts'
import { device } from '../support/erofs-read.ts'

/** A file that can be written anywhere, and has zeros where nothing was written. */
type WriteAt = (bytes: Uint8Array, offset: number) => void

/** As a sink does: `entry`, `data` for each piece of a body, and `finish` after the last entry. */
class ImageSink {
  private readonly places = new BodyPlaces()
  private readonly layer = new LayerTree()
  private readonly write: WriteAt
  private body: Body = 0

  constructor(write: WriteAt) {
    this.write = write
  }

  entry(entry: StagedEntry, extents?: readonly number[]): void {
    if (entry.type === 'file') this.body = this.places.place(entry.size, extents)
    this.layer.add(entry, this.body)
  }

  data(chunk: Uint8Array, position: number): void {
    this.write(chunk, byteOffset(this.body, position))
  }

  finish(uuid: Uint8Array): number {
    return writeParts(layerImage(this.layer.finish(), this.places.end, uuid), this.write)
  }
}

/** The header comes last: without it, nothing takes the file for an image. Returns the length in blocks. */
function writeParts(
  { header, metadataBlock, metadata, blocks }: ImageParts,
  write: WriteAt
): number {
  let offset = metadataBlock * BLOCK
  for (const piece of metadata) {
    write(piece, offset)
    offset += piece.length
  }
  write(header, 0)
  return blocks
}

test('two layers and the image that joins them', () => {
  const layers = [
    [staged('file', 'd/a', { size: 5, body: 512 }), staged('file', 'd/b', { size: 5, body: 1536 })],
    [staged('whiteout', 'd/b'), staged('hardlink', 'c', { link: 'd/a' })]
  ]
  const tree = new MergedImageTree(layers.length, { keepDirlinks: false, keepEntries: false })
  const uuid = new Uint8Array(16)
  const built = layers.map((entries, layer) => {
    const file = newFile()
    const sink = new ImageSink(file.write)
    for (const entry of entries) {
      sink.entry(entry)
      if (entry.type === 'file') sink.data(Buffer.from('hello'), 0)
      tree.add(layer, entry)
    }
    return { blocks: sink.finish(uuid), bytes: file.bytes }
  })
  const merged = newFile()
  const tags = built.map((_, i) => `digest of layer ${i}`)
  const parts = mergedImage(tree.finish(), { devices: built, form: 'devices', uuid })
  writeParts({ ...parts, header: parts.header(tags) }, merged.write)

  const image = new ErofsImage([merged.bytes(), ...built.map(({ bytes }) => bytes())].map(device))
  const found = [...walkImage(image)].map(({ path, inode }) =>
    inode.type === 'file' ? `${path} ${image.content(inode).toString()}` : path
  )
  expect(found).toEqual(['', 'c hello', 'd', 'd/a hello'])
})

function newFile(): { write: WriteAt; bytes: () => Buffer } {
  let bytes = Buffer.alloc(0)
  const write: WriteAt = (piece, offset) => {
    const longer = Buffer.alloc(Math.max(bytes.length, offset + piece.length))
    bytes.copy(longer)
    longer.set(piece, offset)
    bytes = longer
  }
  return { write, bytes: () => bytes }
}
