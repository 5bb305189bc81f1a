/** Names of images and of the places where they are: `[TRANSPORT:]PLACE`, in the form of each transport. */
import { OciUnpackError } from '../errors.ts'
import { DEFAULT_TRANSPORT, transportOf, TRANSPORTS, type ImageName } from './list.ts'
import { invalidName } from './path-and-tag.ts'
import type { ImageWriter, TagInLayout } from './transport.ts'

/**
 * `[TRANSPORT:]PLACE[:TAG]`. The default transport is `oci:`. A layout directory with the name of a transport is
 * written as `./oci`.
 * @throws REFERENCE_INVALID
 */
export function parseImageName(text: string): ImageName {
  const transport = TRANSPORTS.find(({ name }) => text.startsWith(`${name}:`))
  const rest = transport === undefined ? text : text.slice(transport.name.length + 1)
  try {
    return (transport ?? DEFAULT_TRANSPORT).parse(rest)
  } catch (error) {
    throw withExamples(error)
  }
}

/** The full name, with its transport. */
export function formatImageName(name: ImageName): string {
  return `${name.transport}:${transportOf(name).format(name)}`
}

/** A whole place with all its images: `[TRANSPORT:]PLACE`. @throws REFERENCE_INVALID also if there is a tag */
export function parsePlace(text: string): ImageName {
  const name = parseImageName(text)
  if (name.tag === undefined) return name
  throw withExamples(invalidName(text, 'a layout or archive is named without a tag'))
}

/**
 * An image that can be changed in place: `[oci:]PATH[:TAG]`.
 * @throws REFERENCE_INVALID also for an image that can only be read or written as a whole
 */
export function parseTagInLayout(text: string): TagInLayout {
  const name = parseImageName(text)
  return transportOf(name).inLayout?.(name) ?? notChangeable(text)
}

/** A layout that can be changed: `[oci:]PATH`. @throws REFERENCE_INVALID also if there is a tag */
export function parseLayoutPath(text: string): string {
  const name = parsePlace(text)
  const layout = transportOf(name).inLayout?.(name)
  if (layout !== undefined) return layout.path
  throw withExamples(invalidName(text, 'an archive is not a layout directory'))
}

/** The writer for an image with a new name. @throws REFERENCE_INVALID also if images there can only be read */
export function parseDestination(text: string): ImageWriter {
  const name = parseImageName(text)
  const writer = transportOf(name).writer?.(name)
  if (writer !== undefined) return writer
  throw withExamples(invalidName(text, `images cannot be written to ${name.transport}:`))
}

function notChangeable(text: string): never {
  throw new OciUnpackError('REFERENCE_INVALID', 'An image in an archive cannot be changed.', {
    facts: { found: text },
    hint: 'Copy it to a layout first, and change it there.'
  })
}

/** The hint names all transports, because another one may have been meant. */
function withExamples(error: unknown): unknown {
  if (!(error instanceof OciUnpackError)) return error
  const forms = TRANSPORTS.map(({ name, usage }) => `${name}:${usage.one}`).join(', ')
  const examples = TRANSPORTS.map(({ example }) => example).join(', ')
  return new OciUnpackError(error.code, 'The name of the image is not valid.', {
    facts: error.facts,
    hint: `Names are ${forms}; for example ${examples}. Without a transport it is ${DEFAULT_TRANSPORT.name}:.`
  })
}
