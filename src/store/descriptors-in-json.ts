/** Finds what a document of an unknown type refers to. */
import { parseJson, type Json } from '../image/json.ts'
import type { Descriptor } from '../image/types.ts'

/**
 * What a document of an unknown type may need (such as OCI's former artifact manifest): every descriptor in it, and
 * every other digest, with a size of 0 and no type. A document that is not JSON refers to nothing.
 */
export function descriptorsInJson(bytes: Buffer): Descriptor[] {
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
