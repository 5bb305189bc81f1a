/** Turns documents into the bytes that are stored. */
import { stringifyJson } from './go-json.ts'
import type { Json } from './json.ts'
import { allEntries } from './odd-entries.ts'
import { CONFIG_SHAPE, DESCRIPTOR_SHAPE, INDEX_SHAPE, MANIFEST_SHAPE, type Shape } from './shape.ts'
import type { ImageConfig, ImageIndex, ImageManifest } from './types.ts'

/*
 * Documents as umoci stores them, byte for byte if they contain nothing that umoci does not know: Go's field order,
 * compact, one newline at the end that is part of the digest. Unknown fields follow the known ones.
 */

export function indexBytes(index: ImageIndex): Buffer {
  const entries = allEntries(index)
  const complete = { ...index, manifests: entries.map(({ value }) => value) }
  return stringifyJson(complete as unknown as Json, {
    ...INDEX_SHAPE,
    fields: { ...INDEX_SHAPE.fields, manifests: { kind: 'tuple', of: entries.map(shapeOf) } }
  })
}

/** What is not understood is not put in order either. */
function shapeOf({ isOdd }: { isOdd: boolean }): Shape {
  return isOdd ? { kind: 'any' } : DESCRIPTOR_SHAPE
}

export function manifestBytes(manifest: ImageManifest): Buffer {
  return stringifyJson(manifest as unknown as Json, MANIFEST_SHAPE)
}

export function configBytes(config: ImageConfig): Buffer {
  return stringifyJson(config as unknown as Json, CONFIG_SHAPE)
}
