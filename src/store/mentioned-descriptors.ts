/** The descriptors in a document of an unknown type. */
import { parseJson, type Json } from '../image/json.ts'
import type { Descriptor } from '../image/types.ts'

/**
 * What a document of a type that is not known here may need (OCI's former artifact manifest did): every descriptor
 * in it, and every other digest, with a size of 0 and no type. Nothing of what is no JSON.
 */
export function mentionsIn(bytes: Buffer): Descriptor[] {
  try {
    return mentions(parseJson(bytes))
  } catch (error) {
    if (error instanceof SyntaxError) return []
    throw error
  }
}

function mentions(value: Json): Descriptor[] {
  if (typeof value === 'string') return DIGEST.test(value) ? [untyped(value)] : []
  if (value === null || typeof value !== 'object') return []
  const below = Object.values(value).flatMap((member: Json | undefined) => mentions(member ?? null))
  return isDescriptor(value) ? [value, ...below] : below
}

const DIGEST = /^[a-z0-9+._-]+:[A-Za-z0-9=_-]+$/

function isDescriptor(value: object): value is Descriptor {
  const { mediaType, digest, size } = value as Partial<Record<keyof Descriptor, unknown>>
  const isNamed = typeof mediaType === 'string' && typeof digest === 'string'
  return isNamed && DIGEST.test(digest) && Number.isSafeInteger(size)
}

function untyped(digest: string): Descriptor {
  return { mediaType: '', digest: digest as Descriptor['digest'], size: 0 }
}
