/** The names of the entries of an index. */
import { distinct } from './choice.ts'
import { isDigest, type Digest } from './digest.ts'
import { fullDockerName } from './docker-name.ts'
import { without } from './fields.ts'
import { OCI_INDEX } from './media-types.ts'
import type { Descriptor, ImageIndex } from './types.ts'

/** The annotation that tags an entry of a layout's index (image-spec annotations.md). */
export const REF_NAME = 'org.opencontainers.image.ref.name'

/** containerd and Docker write the full name of an image here, and often only its tag into REF_NAME. */
const FULL_NAME = 'io.containerd.image.name'

/** The tag that a name without one means. */
export const DEFAULT_TAG = 'latest'

/** The tags of a layout, in the order of its index, including repetitions. */
export function listTags(index: ImageIndex): string[] {
  return index.manifests.flatMap((entry) => tagOf(entry) ?? [])
}

/** By what a user can name the entry: its tag, its full name, or `@` and its digest. */
export function nameOf(entry: Descriptor): string {
  return ownName(entry) ?? `@${entry.digest}`
}

/** By what a user can name it if other entries have the same tag. */
export function nameBesideTag(entry: Descriptor): string {
  return fullNameOf(entry) ?? `@${entry.digest}`
}

/** The tag or full name of an entry. */
export function ownName(entry: Descriptor): string | undefined {
  return tagOf(entry) ?? fullNameOf(entry)
}

/**
 * The entries that a name can mean (image-spec image-layout.md, index.json), without repetitions: those with the tag,
 * otherwise those with the full name (`debian` is `docker.io/library/debian:latest`), otherwise the one with the digest.
 * Tags are free text.
 */
export function entriesNamed(index: ImageIndex, name: string): Descriptor[] {
  const full = fullDockerName(name)
  const isMeant: readonly ((entry: Descriptor) => boolean)[] = [
    (entry) => tagOf(entry) === name,
    (entry) => fullNameOf(entry) === name || fullNameOf(entry) === full,
    (entry) => entry.digest === digestNamed(name)
  ]
  const found = isMeant.map((test) => index.manifests.filter(test))
  return distinct(found.find(({ length }) => length > 0) ?? [], (entry) => entry)
}

/** The digest in a name of the form `@DIGEST`. */
export function digestNamed(name: string): Digest | undefined {
  const digest = name.slice(1)
  return name.startsWith('@') && isDigest(digest) ? digest : undefined
}

/** The name, in full, by which an entry was found. Undefined if that was its digest, which is no name to write. */
export function foundAs(entry: Descriptor, name: string | undefined): string | undefined {
  if (name === undefined) return ownName(entry) ?? DEFAULT_TAG
  if (tagOf(entry) === name) return name
  return digestNamed(name) === undefined ? fullNameOf(entry) : undefined
}

/**
 * The index with the tag on this descriptor alone. The new entry comes last, with the descriptor's platform and all
 * annotations except another full name. If the descriptor is an entry without a name, it gets the tag itself.
 */
export function withTag(index: ImageIndex, tag: string, descriptor: Descriptor): ImageIndex {
  const others = withoutTag(index, tag)
  const manifests = others.manifests.filter(
    (entry) => entry !== descriptor || ownName(entry) !== undefined
  )
  return { ...others, manifests: [...manifests, tagged(descriptor, tag)] }
}

/** The index with entries for what refers to its images. Those that are not found by a tag have no names. */
export function withReferrers(index: ImageIndex, referrers: readonly Referring[]): ImageIndex {
  return referrers.reduce((result, { descriptor, tag }) => {
    if (tag !== undefined) return withTag(result, tag, descriptor)
    const isKnown = result.manifests.some(({ digest }) => digest === descriptor.digest)
    return isKnown ? result : { ...result, manifests: [...result.manifests, descriptor] }
  }, index)
}

export interface Referring {
  descriptor: Descriptor
  tag: string | undefined
}

/**
 * The index without the entries that have this tag or full name. Docker gives `a:latest` and `b:latest` the same tag: of
 * several images, those with a full name of their own keep it and lose only the tag.
 */
export function withoutTag(index: ImageIndex, tag: string): ImageIndex {
  const meant = index.manifests.find((entry) => tagOf(entry) === tag)
  const manifests = index.manifests.flatMap((entry) => {
    if (fullNameOf(entry) === tag) return []
    if (tagOf(entry) !== tag) return [entry]
    const isOther = fullNameOf(entry) !== undefined && fullNameOf(entry) !== fullNameOf(meant!)
    return isOther ? [untagged(entry)] : []
  })
  return { ...index, mediaType: OCI_INDEX, manifests }
}

function tagOf({ annotations }: Descriptor): string | undefined {
  return annotations?.[REF_NAME]
}

function fullNameOf({ annotations }: Descriptor): string | undefined {
  return annotations?.[FULL_NAME]
}

/** A descriptor as an entry of the layout's index that has the tag; a full name that means another image is removed. */
export function tagged(descriptor: Descriptor, tag: string): Descriptor {
  const { [FULL_NAME]: fullName, ...others } = descriptor.annotations ?? {}
  const isSame = tagOf(descriptor) === tag || fullName === tag
  const kept = isSame && fullName !== undefined ? { [FULL_NAME]: fullName } : {}
  return { ...descriptor, annotations: { ...others, ...kept, [REF_NAME]: tag } }
}

function untagged(entry: Descriptor): Descriptor {
  return { ...entry, annotations: without(entry.annotations ?? {}, [REF_NAME]) }
}
