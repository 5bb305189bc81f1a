import { OciUnpackError } from '../errors.ts'

/** An image in a layout on disk: `PATH[:TAG]`. */
export interface Reference {
  path: string
  tag: string
}

/** Image-spec annotations.md, grammar of org.opencontainers.image.ref.name. */
const COMPONENT = '[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*'
const TAG = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`)

const DEFAULT_TAG = 'latest'

/**
 * `PATH[:TAG]`, split at the first colon as umoci does: a path cannot hold a colon, a tag can. The tag is `latest`
 * where no colon is given. Throws REFERENCE_INVALID.
 */
export function parseReference(text: string): Reference {
  const colon = text.indexOf(':')
  const path = colon < 0 ? text : text.slice(0, colon)
  if (path === '') throw invalid(text, 'the path of the layout is empty')
  return { path, tag: colon < 0 ? DEFAULT_TAG : parseTag(text.slice(colon + 1)) }
}

/** The directory of a layout, where no tag belongs. Throws REFERENCE_INVALID: empty, or with a colon. */
export function parseLayoutPath(text: string): string {
  if (text === '') throw invalid(text, 'the path of the layout is empty')
  if (text.includes(':')) throw invalid(text, 'the path of a layout cannot hold a colon')
  return text
}

/** A tag (the ref.name of an index entry). Throws REFERENCE_INVALID. */
export function parseTag(text: string): string {
  if (text === '') throw invalid(text, 'the tag is empty')
  if (!TAG.test(text)) {
    throw invalid(text, 'a tag is letters and digits, joined by single - . _ : @ + / or by --')
  }
  return text
}

function invalid(found: string, reason: string): OciUnpackError {
  return new OciUnpackError('REFERENCE_INVALID', 'The name of the image is not valid.', {
    facts: { found, reason },
    hint: 'Give PATH[:TAG], for instance ./debian:12: the directory of an OCI layout and a tag in it.'
  })
}
