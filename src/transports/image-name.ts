/** Names of images and of the places where they are: `[TRANSPORT:]PLACE`, in the form of each transport. */
import { OciUnpackError, withHint } from '../errors.ts'
import { parseTag } from '../image/tag.ts'
import { DEFAULT_TAG, digestNamed } from '../image/tags.ts'
import type { OnWarning } from '../store/image-source.ts'
import { assertNotForeign } from './foreign-names.ts'
import { DEFAULT_TRANSPORT, transportOf, TRANSPORTS, type ImageName } from './list.ts'
import { invalidName } from './path-and-tag.ts'
import { tagInNamesake, type Use } from './namesakes.ts'
import type {
  ImageInLayout,
  ImageTransport,
  ImageWriter,
  TagInLayout,
  TreeWriter
} from './transport.ts'
import { assertNotOnRegistry, hasScheme, refuseScheme, registryHint } from './without-docker.ts'

/**
 * An image to read: `[TRANSPORT:]PLACE`, with a tag or digest. The default transport is `oci:`. If a layout directory has
 * the name of a transport and there is nothing at the place, a tag in this directory is meant.
 * @throws REFERENCE_INVALID
 */
export function parseImageName(text: string, onWarning?: OnWarning): ImageName {
  return parse(text, 'read', onWarning)
}

/** The full name, with its transport. */
export function formatImageName(name: ImageName): string {
  return `${name.transport}:${transportOf(name).format(name)}`
}

/** A whole place with all its images: `[TRANSPORT:]PLACE`. @throws REFERENCE_INVALID also if there is a tag */
export function parsePlace(text: string): ImageName {
  const name = parse(text, 'place', undefined)
  if (name.tag === undefined) return name
  const invalid = invalidName(text, 'a whole place is named without a tag')
  const hint = registryHint(text)
  throw hint === undefined ? withExamples(invalid) : withHint(invalid, hint)
}

/**
 * An image that exists and can be changed in place: `[oci:]PATH`, with a tag or digest.
 * @throws REFERENCE_INVALID also for an image that can only be read or written as a whole
 */
export function parseImageInLayout(text: string, onWarning?: OnWarning): ImageInLayout {
  const name = parseImageName(text, onWarning)
  return transportOf(name).inLayout?.(name) ?? notInLayout(text, name)
}

/**
 * An image that exists and can be changed where it is: in a layout, or on a registry.
 * @throws REFERENCE_INVALID also for an image that can only be read or written as a whole
 */
export function parseChangeable(text: string, onWarning?: OnWarning): ImageName {
  const name = parseImageName(text, onWarning)
  return transportOf(name).change === undefined ? notChangeable(text) : name
}

/** The same for a new image. @throws REFERENCE_INVALID as before, and for tags that are not valid */
export function parseNewName(text: string, onWarning?: OnWarning): ImageName & { tag: string } {
  const name = parseChangeable(text, onWarning)
  return { ...name, tag: newTag(name) ?? DEFAULT_TAG }
}

/**
 * The tag of a new image in a layout: `[oci:]PATH[:TAG]`. @param otherwise the tag if the text has none; not a digest
 * @throws REFERENCE_INVALID
 */
export function parseTagInLayout(text: string, otherwise: string | undefined): TagInLayout {
  const { path, tag } = parseImageInLayout(text)
  const isTag = otherwise !== undefined && digestNamed(otherwise) === undefined
  const own = newTag({ transport: 'oci', path, tag })
  return { path, tag: own ?? (isTag ? otherwise : DEFAULT_TAG) }
}

/** A layout that can be changed: `[oci:]PATH`. @throws REFERENCE_INVALID also if there is a tag */
export function parseLayoutPath(text: string): string {
  const name = parsePlace(text)
  const layout = transportOf(name).inLayout?.(name)
  if (layout !== undefined) return layout.path
  if (isOnRegistry(name)) throw onRegistry(text)
  throw withExamples(invalidName(text, 'an archive is not a layout directory'))
}

/** The writer for an image with a new name. @throws REFERENCE_INVALID also if images there can only be read */
export function parseDestination(text: string, onWarning?: OnWarning): ImageWriter {
  const name = parse(text, 'write', onWarning)
  const writer = transportOf(name).writer?.(name)
  if (writer === undefined)
    throw withExamples(invalidName(text, `images cannot be written to ${name.transport}:`))
  if (!isDigestOnRegistry(name)) newTag(name)
  return writer
}

/** A place that a root file system without an image can be written to. */
export interface TreeDestination {
  path: string
  write: TreeWriter
}

/** @throws REFERENCE_INVALID also if there can only be images */
export function parseTreeDestination(text: string, onWarning?: OnWarning): TreeDestination {
  const name = parse(text, 'write', onWarning)
  const write = transportOf(name).treeWriter?.(name)
  if (write !== undefined) return { path: name.path, write }
  throw new OciUnpackError('REFERENCE_INVALID', 'A root file system cannot be written there.', {
    facts: { found: text },
    hint: `Give the name of an archive, as in ${treeExamples()}. \`repack\` makes an image of a bundle.`
  })
}

function treeExamples(): string {
  return TRANSPORTS.filter((transport) => transport.treeWriter !== undefined)
    .map(({ example }) => example)
    .join(', ')
}

function parse(text: string, use: Use, onWarning: OnWarning = () => undefined): ImageName {
  const transport = TRANSPORTS.find(({ name, begins = '' }) => text.startsWith(`${name}:${begins}`))
  if (transport === undefined) {
    if (hasScheme(text)) refuseScheme(text)
    assertNotForeign(text, use)
    if (use === 'write') assertNotOnRegistry(text)
    return parsed(DEFAULT_TRANSPORT, text)
  }
  const read = (): ImageName => parsed(transport, text.slice(transport.name.length + 1))
  if (use === 'place') return read()
  return tagInNamesake(text, transport, use, onWarning) ?? read()
}

function parsed(transport: ImageTransport<ImageName>, text: string): ImageName {
  try {
    return transport.parse(text)
  } catch (error) {
    throw withExamples(error)
  }
}

/** Other programs may write any tag; this one writes only those that the specification allows. */
function newTag(name: ImageName): string | undefined {
  const { tag } = name
  if (tag === undefined) return undefined
  if (digestNamed(tag) !== undefined) throw digestAsName(tag, transportOf(name))
  try {
    return parseTag(tag)
  } catch (error) {
    throw withExamples(error)
  }
}

/** A registry has manifests without a tag, which are named by their digest. */
function isDigestOnRegistry(name: ImageName): boolean {
  return isOnRegistry(name) && name.tag !== undefined && digestNamed(name.tag) !== undefined
}

function digestAsName(tag: string, { example }: ImageTransport<ImageName>): OciUnpackError {
  return new OciUnpackError('REFERENCE_INVALID', 'A digest cannot be the name of a new image.', {
    facts: { found: tag.slice(1) },
    hint: `Give a tag, as in ${example}.`
  })
}

function notChangeable(text: string): never {
  throw new OciUnpackError('REFERENCE_INVALID', 'An image in an archive cannot be changed.', {
    facts: { found: text },
    hint: 'Copy it to a layout first, and change it there.'
  })
}

function notInLayout(text: string, name: ImageName): never {
  throw isOnRegistry(name) ? onRegistry(text) : notChangeable(text)
}

function isOnRegistry(name: ImageName): boolean {
  return transportOf(name).holder === 'registry'
}

function onRegistry(text: string): OciUnpackError {
  return new OciUnpackError('REFERENCE_INVALID', 'This works only in layout directories.', {
    facts: { found: text },
    hint: 'A registry makes its repositories by itself, and its own tools remove tags and blobs.'
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
