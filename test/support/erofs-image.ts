/** Images as whole buffers, from entries and their bodies. */
import { BLOCK, blocksOf } from '../../src/erofs/format.ts'
import { BodyPlaces, byteOffset, type Body } from '../../src/erofs/bodies.ts'
import { LayerTree } from '../../src/erofs/layer-tree.ts'
import { layerImage, type ImageParts } from '../../src/erofs/write-image.ts'
import { NO_METADATA } from '../../src/plan/no-metadata.ts'
import { STAGED_NOWHERE, type StagedEntry } from '../../src/plan/staged-entry.ts'
import type { Extents } from '../../src/tar/sparse.ts'

export const UUID: Uint8Array = Uint8Array.from({ length: 16 }, (_, i) => i + 1)

export interface LayerMember {
  entry: StagedEntry
  /** The stored bytes of a file; with extents, those of all extents. */
  body?: Uint8Array
  extents?: Extents
}

/** An entry of a layer, of any type. */
export function staged(
  type: StagedEntry['type'],
  path: string,
  fields: Partial<StagedEntry> = {}
): StagedEntry {
  const mode = type === 'symlink' ? 0o777 : 0o644
  return { ...NO_METADATA, mode, type, path, staged: STAGED_NOWHERE, ...fields }
}

export function fileMember(
  path: string,
  body: Uint8Array,
  fields: Partial<StagedEntry> = {}
): LayerMember {
  return { entry: staged('file', path, { size: body.length, ...fields }), body }
}

export interface BuiltLayer {
  image: Buffer
  /** Where the image has the body of each member. */
  bodies: (Body | undefined)[]
}

/** What a sink does: bodies go to their places as they come, and everything else is written at the end. */
export function buildLayer(members: readonly LayerMember[]): BuiltLayer {
  const places = new BodyPlaces()
  const layer = new LayerTree()
  const written: { at: number; bytes: Uint8Array }[] = []
  const bodies = members.map(({ entry, body, extents }) => {
    const place = entry.type === 'file' ? places.place(entry.size, extents) : undefined
    if (place !== undefined && body !== undefined) written.push(...pieces(place, body, extents))
    layer.add(entry, place)
    return place
  })
  const image = whole(layerImage(layer.finish(), places.end, UUID))
  for (const { at, bytes } of written) image.set(bytes, at)
  return { image, bodies }
}

function pieces(
  place: Body,
  body: Uint8Array,
  extents: Extents = [0, body.length]
): { at: number; bytes: Uint8Array }[] {
  let from = 0
  return extents.flatMap((position, i) => {
    if (i % 2 === 1) return []
    const length = extents[i + 1]!
    const bytes = body.subarray(from, (from += length))
    return length === 0 ? [] : [{ at: byteOffset(place, position), bytes }]
  })
}

/** The image, with zeros where bodies belong. */
export function whole({ header, metadataBlock, metadata, blocks }: ImageParts): Buffer {
  const image = Buffer.alloc(blocks * BLOCK)
  header.copy(image)
  let at = metadataBlock * BLOCK
  for (const piece of metadata) at += piece.copy(image, at)
  if (blocksOf(at) !== blocks || at % BLOCK !== 0) throw new Error('the metadata ends too early')
  return image
}
