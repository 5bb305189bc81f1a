/** Turns documents into the bytes that are stored. */
import { stringifyJson } from './go-json.ts'
import type { Json } from './json.ts'
import { CONFIG_SHAPE, INDEX_SHAPE, MANIFEST_SHAPE } from './shape.ts'
import type { ImageConfig, ImageIndex, ImageManifest } from './types.ts'

/*
 * Documents as umoci stores them, byte for byte if they contain nothing that umoci does not know: Go's field order,
 * compact, one newline at the end that is part of the digest. Unknown fields follow the known ones.
 */

export function indexBytes(index: ImageIndex): Buffer {
  return stringifyJson(index as unknown as Json, INDEX_SHAPE)
}

export function manifestBytes(manifest: ImageManifest): Buffer {
  return stringifyJson(manifest as unknown as Json, MANIFEST_SHAPE)
}

export function configBytes(config: ImageConfig): Buffer {
  return stringifyJson(config as unknown as Json, CONFIG_SHAPE)
}
