/** Names of the form `PATH[:TAG]` or `PATH@DIGEST`. */
import { OciUnpackError } from '../errors.ts'
import { parseDigest } from '../image/digest.ts'
import { digestNamed } from '../image/tags.ts'

export interface PathAndTag {
  readonly path: string
  readonly tag: string | undefined
}

/**
 * Splits at the first colon, as umoci does: a tag can contain a colon, a path cannot. A digest becomes the tag `@DIGEST`.
 * Whether the text is a valid tag for a new image is not checked, because other programs write other tags.
 * @throws REFERENCE_INVALID
 */
export function parsePathAndTag(text: string): PathAndTag {
  const colon = text.indexOf(':')
  const path = colon < 0 ? text : text.slice(0, colon)
  if (path === '') throw invalidName(text, 'the path is empty')
  if (colon < 0) return { path, tag: undefined }
  if (colon === text.length - 1) throw invalidName(text, 'the tag is empty')
  return pathAndDigest(text) ?? { path, tag: text.slice(colon + 1) }
}

export function formatPathAndTag({ path, tag }: PathAndTag): string {
  if (tag === undefined) return path
  return digestNamed(tag) === undefined ? `${path}:${tag}` : `${path}${tag}`
}

export function invalidName(found: string, reason: string): OciUnpackError {
  return new OciUnpackError('REFERENCE_INVALID', 'The name of the image is not valid.', {
    facts: { found, reason }
  })
}

function pathAndDigest(text: string): PathAndTag | undefined {
  const { path, digest } = /^(?<path>[^:]+)@(?<digest>sha(?:256|512):.*)$/s.exec(text)?.groups ?? {}
  if (path === undefined || digest === undefined) return undefined
  try {
    return { path, tag: `@${parseDigest(digest)}` }
  } catch (error) {
    throw error instanceof OciUnpackError ? invalidName(text, String(error.facts.reason)) : error
  }
}
