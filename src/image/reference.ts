/** Names of images: a transport, a path and a tag. */
import { OciUnpackError } from '../errors.ts'

/** Where images are kept, as skopeo names it: a layout directory, a tar file of one, or what `docker save` writes. */
export type Transport = 'oci' | 'oci-archive' | 'docker-archive'

/** An image in a layout on disk: `[oci:]PATH[:TAG]`. */
export interface Reference {
  path: string
  tag: string
}

/** An image somewhere: `[TRANSPORT:]PATH[:TAG]`. */
export interface ImageName {
  transport: Transport
  path: string
  /** Of a docker-archive: `NAME[:TAG]` or `@N`. Undefined: `latest` in a layout, in an archive the only image. */
  tag: string | undefined
}

/** Image-spec annotations.md, grammar of org.opencontainers.image.ref.name. */
const COMPONENT = '[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*'
const TAG = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`)

export const DEFAULT_TAG = 'latest'

const TRANSPORTS: readonly Transport[] = ['oci', 'oci-archive', 'docker-archive']

/**
 * `[oci:]PATH[:TAG]`, split at the first colon as umoci does: a path cannot hold a colon, a tag can. The tag is
 * `latest` where no colon is given. @throws REFERENCE_INVALID, also for an archive.
 */
export function parseReference(text: string): Reference {
  const { transport, path, tag } = parseImageName(text)
  if (transport === 'oci') return { path, tag: tag ?? DEFAULT_TAG }
  throw new OciUnpackError('REFERENCE_INVALID', 'An image in an archive cannot be changed.', {
    facts: { found: text },
    hint: `Copy it to a layout first: oci-unpack copy ${text} LAYOUT:TAG`
  })
}

/**
 * `[TRANSPORT:]PATH[:TAG]`, split at the first colon behind the transport. Without a transport it is `oci:`; a layout
 * directory that bears the name of a transport is written `./oci`. @throws REFERENCE_INVALID.
 */
export function parseImageName(text: string): ImageName {
  const transport = TRANSPORTS.find((name) => text.startsWith(`${name}:`))
  const rest = transport === undefined ? text : text.slice(transport.length + 1)
  const colon = rest.indexOf(':')
  const path = colon < 0 ? rest : rest.slice(0, colon)
  if (path === '') throw invalid(text, 'the path is empty')
  const tag = colon < 0 ? undefined : parseTagOf(transport, rest.slice(colon + 1))
  return { transport: transport ?? 'oci', path, tag }
}

/** A layout or an archive as a whole: `[TRANSPORT:]PATH`. @throws REFERENCE_INVALID, also where there is a tag. */
export function parseSourceName(text: string): ImageName {
  const name = parseImageName(text)
  if (name.tag !== undefined) throw invalid(text, 'a layout or archive is named without a tag')
  return name
}

/** The directory of a layout: `[oci:]PATH`. @throws REFERENCE_INVALID, also where there is a tag. */
export function parseLayoutPath(text: string): string {
  const { transport, path } = parseSourceName(text)
  if (transport === 'oci') return path
  throw invalid(text, 'an archive is no directory of a layout')
}

/** A tag (the ref.name of an index entry). @throws REFERENCE_INVALID. */
export function parseTag(text: string): string {
  if (text === '') throw invalid(text, 'the tag is empty')
  if (!TAG.test(text)) {
    throw invalid(text, 'a tag is letters and digits, joined by single - . _ : @ + / or by --')
  }
  return text
}

function parseTagOf(transport: Transport | undefined, text: string): string {
  return transport === 'docker-archive' && /^@\d{1,9}$/.test(text) ? text : parseTag(text)
}

function invalid(found: string, reason: string): OciUnpackError {
  return new OciUnpackError('REFERENCE_INVALID', 'The name of the image is not valid.', {
    facts: { found, reason },
    hint:
      'Give [TRANSPORT:]PATH[:TAG], for instance ./debian:12 (a tag in the directory of an OCI layout), ' +
      'oci-archive:debian.tar or docker-archive:debian.tar:debian:12.'
  })
}
