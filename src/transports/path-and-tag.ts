/** Names of the form `PATH[:TAG]`. */
import { OciUnpackError } from '../errors.ts'
import { parseTag } from '../image/tag.ts'

export interface PathAndTag {
  readonly path: string
  readonly tag: string | undefined
}

/** Splits at the first colon, as umoci does: a tag can contain a colon, a path cannot. @throws REFERENCE_INVALID */
export function parsePathAndTag(
  text: string,
  readTag: (tag: string) => string = parseTag
): PathAndTag {
  const colon = text.indexOf(':')
  const path = colon < 0 ? text : text.slice(0, colon)
  if (path === '') throw invalidName(text, 'the path is empty')
  return { path, tag: colon < 0 ? undefined : readTag(text.slice(colon + 1)) }
}

export function formatPathAndTag({ path, tag }: PathAndTag): string {
  return tag === undefined ? path : `${path}:${tag}`
}

export function invalidName(found: string, reason: string): OciUnpackError {
  return new OciUnpackError('REFERENCE_INVALID', 'The name of the image is not valid.', {
    facts: { found, reason }
  })
}
