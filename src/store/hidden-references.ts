/** What the odd entries of an index may refer to, so that nothing is removed that somebody might need. */
import { isDigest, type Digest } from '../image/digest.ts'
import type { Json } from '../image/json.ts'
import { mediaKind } from '../image/media-types.ts'
import { oddEntries } from '../image/odd-entries.ts'
import type { Descriptor, ImageIndex } from '../image/types.ts'
import type { ImageSource } from './image-source.ts'
import { storedSize } from './stored-size.ts'

/**
 * A descriptor for each blob that exists and whose digest is somewhere in an entry that is not valid. If the entry does
 * not say that the blob is a manifest or an index, the blob is read as JSON that may mention others.
 */
export function hiddenReferences(source: ImageSource, index: ImageIndex): Descriptor[] {
  return oddEntries(index).flatMap(({ value }) => {
    const mediaType = typeIn(value)
    return digestsIn(value).flatMap((digest) => {
      const size = storedSize(source.blobSource({ mediaType: '', digest, size: 0 }))
      return size === undefined ? [] : [{ mediaType, digest, size }]
    })
  })
}

function typeIn(value: Json): string {
  const type = isObject(value) ? value['mediaType'] : undefined
  return typeof type === 'string' && mediaKind(type).kind !== 'other' ? type : 'application/json'
}

/** Wherever they are in a text and in any case of letters: what is not valid may still be meant. */
function digestsIn(value: Json): Digest[] {
  if (typeof value === 'string')
    return [...value.toLowerCase().matchAll(/[a-z0-9]+:[0-9a-f]+/g)]
      .map(([text]) => text)
      .filter(isDigest)
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(digestsIn)
  return isObject(value) ? Object.values(value).flatMap(digestsIn) : []
}

function isObject(value: Json | undefined): value is Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
