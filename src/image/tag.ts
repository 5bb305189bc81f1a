/** The syntax of tags. */
import { OciUnpackError } from '../errors.ts'

/** Image-spec annotations.md, grammar of org.opencontainers.image.ref.name. */
const COMPONENT = '[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*'
const TAG = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`)

/** A tag (the ref.name of an index entry). @throws REFERENCE_INVALID */
export function parseTag(text: string): string {
  if (text === '') throw invalid(text, 'the tag is empty')
  if (!TAG.test(text)) {
    throw invalid(text, 'a tag is letters and digits, joined by single - . _ : @ + / or by --')
  }
  return text
}

function invalid(found: string, reason: string): OciUnpackError {
  return new OciUnpackError('REFERENCE_INVALID', 'The tag is not valid.', {
    facts: { found, reason },
    hint: 'Valid tags are, for example, 12, v1.0-rc.1 and debian:12.'
  })
}
