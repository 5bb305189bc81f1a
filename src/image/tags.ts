/** The tags of an index. */
import { OciUnpackError } from '../errors.ts'
import { distinct } from './choice.ts'
import { OCI_INDEX } from './media-types.ts'
import type { Descriptor, ImageIndex } from './types.ts'
import { printable } from './validate.ts'

/** The annotation that tags an entry of a layout's index (image-spec annotations.md). */
export const REF_NAME = 'org.opencontainers.image.ref.name'

/** The tags of a layout, in the order of its index, including repetitions. */
export function listTags(index: ImageIndex): string[] {
  return index.manifests.flatMap(({ annotations }) => annotations?.[REF_NAME] ?? [])
}

/**
 * The one entry of the layout's index that has the tag (image-spec image-layout.md, index.json). Entries with equal
 * digests count as one.
 * @throws TAG_NOT_FOUND with the available tags, TAG_AMBIGUOUS with the digests
 */
export function findTag(index: ImageIndex, tag: string): Descriptor {
  const entries = index.manifests.filter(({ annotations }) => annotations?.[REF_NAME] === tag)
  const [entry, ...others] = distinct(entries, (descriptor) => descriptor)
  if (entry === undefined) throw tagNotFound(tag, [...new Set(listTags(index))])
  if (others.length > 0) throw tagAmbiguous(tag, [entry, ...others])
  return entry
}

/** The entry with a tag, or the only entry if no tag is given. @throws what `findTag` throws */
export function findEntry(index: ImageIndex, tag: string | undefined): Descriptor {
  if (tag !== undefined) return findTag(index, tag)
  const [entry, ...others] = distinct(index.manifests, (descriptor) => descriptor)
  if (entry !== undefined && others.length === 0) return entry
  throw entry === undefined ? noImage() : severalImages(listTags(index))
}

/**
 * The index with the tag on this descriptor alone: older entries with the tag are removed, and the new one comes last,
 * with its other annotations and its platform.
 */
export function withTag(index: ImageIndex, tag: string, descriptor: Descriptor): ImageIndex {
  const others = withoutTag(index, tag)
  return { ...others, manifests: [...others.manifests, tagged(descriptor, tag)] }
}

/** A descriptor as an entry of the layout's index that has the tag. */
export function tagged(descriptor: Descriptor, tag: string): Descriptor {
  return { ...descriptor, annotations: { ...descriptor.annotations, [REF_NAME]: tag } }
}

/** The index without any entry that has the tag. */
export function withoutTag(index: ImageIndex, tag: string): ImageIndex {
  const manifests = index.manifests.filter(({ annotations }) => annotations?.[REF_NAME] !== tag)
  return { ...index, mediaType: OCI_INDEX, manifests }
}

function tagNotFound(tag: string, tags: readonly string[]): OciUnpackError {
  return new OciUnpackError('TAG_NOT_FOUND', 'No image has this tag.', {
    facts: {
      found: tag,
      available: tags.length === 0 ? 'no tags at all' : printable(tags.join(', '))
    },
    hint: 'Use one of the available tags: PATH:TAG.'
  })
}

function tagAmbiguous(tag: string, entries: readonly Descriptor[]): OciUnpackError {
  return new OciUnpackError('TAG_AMBIGUOUS', 'Several images have this tag.', {
    facts: { found: tag, available: entries.map(({ digest }) => digest).join(', ') },
    hint: 'Tag the right image again: this replaces all older entries of the tag.'
  })
}

function noImage(): OciUnpackError {
  return new OciUnpackError('TAG_NOT_FOUND', 'There is no image at this place.')
}

function severalImages(tags: readonly string[]): OciUnpackError {
  return new OciUnpackError('TAG_AMBIGUOUS', 'There are several images at this place.', {
    facts: { available: printable([...new Set(tags)].join(', ')) },
    hint: 'Choose one by its tag: TRANSPORT:PATH:TAG.'
  })
}
