/** Finds the entry of an index that a name means. */
import { OciUnpackError } from '../errors.ts'
import { distinct, isArtifact } from '../image/choice.ts'
import { isAttached } from '../image/cosign.ts'
import type { Digest } from '../image/digest.ts'
import { isManifestType, mediaKind } from '../image/media-types.ts'
import { DEFAULT_TAG, digestNamed, entriesNamed, nameBesideTag, nameOf } from '../image/tags.ts'
import type { Descriptor, ImageIndex } from '../image/types.ts'
import { printable } from '../image/validate.ts'
import type { ImageSource } from './image-source.ts'
import { manifestsInIndex } from './manifests-in-index.ts'

/**
 * The entry with a tag or full name, or the manifest with a digest (`@sha256:…`), which may also be inside an index. If
 * several images have the tag, the first one is meant, as in skopeo. Without a name: in a layout `latest`, if it exists,
 * otherwise the only image.
 * @throws TAG_NOT_FOUND, TAG_AMBIGUOUS, both with the available names
 */
export function findEntry(
  source: ImageSource,
  name: string | undefined,
  index: ImageIndex = source.readIndex()
): Descriptor {
  return name === undefined ? defaultEntry(source, index) : namedEntry(source, name, index)
}

function namedEntry(source: ImageSource, name: string, index: ImageIndex): Descriptor {
  const [entry, ...others] = entriesNamed(index, name)
  if (others.length > 0) warnOfOthers(source, name, [entry!, ...others])
  if (entry !== undefined) return entry
  const digest = digestNamed(name)
  if (digest === undefined) throw tagNotFound(name, index)
  return withDigest(source, digest, index) ?? digestNotFound(digest, index)
}

function defaultEntry(source: ImageSource, index: ImageIndex): Descriptor {
  const [latest] = source.hasDefaultTag ? entriesNamed(index, DEFAULT_TAG) : []
  if (latest !== undefined) return namedEntry(source, DEFAULT_TAG, index)
  const entries = distinct(index.manifests, (entry) => entry)
  const images = entries.filter(isImage)
  const [only, ...others] = images.length === 0 ? entries : images
  if (only !== undefined && others.length === 0) return only
  if (only === undefined) throw noImage()
  throw source.hasDefaultTag ? tagNotFound(DEFAULT_TAG, index) : severalImages(index)
}

/** Signatures and the like lie beside the image that they belong to. */
function isImage(entry: Descriptor): boolean {
  return isManifestType(entry.mediaType) && !isArtifact(entry) && !isAttached(entry)
}

function withDigest(
  source: ImageSource,
  digest: Digest,
  index: ImageIndex
): Descriptor | undefined {
  return index.manifests
    .filter(({ mediaType }) => mediaKind(mediaType).kind === 'index')
    .flatMap((entry) => descriptorsBelow(source, entry))
    .find((descriptor) => descriptor.digest === digest)
}

/** Another image that is damaged is no reason not to find this one. */
function descriptorsBelow(source: ImageSource, entry: Descriptor): Descriptor[] {
  try {
    return manifestsInIndex(source, entry).flat()
  } catch (error) {
    if (error instanceof OciUnpackError) return []
    throw error
  }
}

function warnOfOthers(source: ImageSource, name: string, entries: readonly Descriptor[]): void {
  source.warn('Several images have this tag, and the first one is used.', {
    found: printable(name),
    available: printable(entries.map(nameBesideTag).join(', '))
  })
}

function tagNotFound(tag: string, index: ImageIndex): OciUnpackError {
  return notFound('No image has this tag.', tag, index)
}

function digestNotFound(digest: Digest, index: ImageIndex): never {
  throw notFound('No image has this digest.', digest, index)
}

function notFound(message: string, expected: string, index: ImageIndex): OciUnpackError {
  const names = namesIn(index)
  return new OciUnpackError('TAG_NOT_FOUND', message, {
    facts: {
      expected: printable(expected),
      available: names.length === 0 ? 'no images at all' : printable(names.join(', '))
    },
    hint: hintFor(names)
  })
}

function noImage(): OciUnpackError {
  return new OciUnpackError('TAG_NOT_FOUND', 'There is no image at this place.', {
    hint: hintFor([])
  })
}

function severalImages(index: ImageIndex): OciUnpackError {
  const names = namesIn(index)
  return new OciUnpackError('TAG_AMBIGUOUS', 'There are several images at this place.', {
    facts: { available: printable(names.join(', ')) },
    hint: hintFor(names)
  })
}

function namesIn(index: ImageIndex): string[] {
  return [...new Set(index.manifests.map(nameOf))]
}

function hintFor(names: readonly string[]): string {
  const hasDigest = names.some((name) => digestNamed(name) !== undefined)
  const hasTag = names.some((name) => digestNamed(name) === undefined)
  if (!hasDigest && !hasTag) return 'Copy an image there first.'
  if (!hasDigest) return 'Use one of the available tags: PATH:TAG.'
  return hasTag
    ? 'Use one of the available tags or digests: PATH:TAG or PATH@DIGEST.'
    : 'The images have no tags. Use one of the available digests: PATH@DIGEST.'
}
