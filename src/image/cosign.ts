/**
 * What cosign attaches to an image without the field `subject`. On a registry, and in layouts that are copied from there,
 * a tag made from the digest of the image leads to it. In a layout that `cosign save` wrote, which has one image, an
 * annotation says what each entry is.
 */
import type { Digest } from './digest.ts'
import { REF_NAME } from './tags.ts'
import type { Descriptor } from './types.ts'

const KIND = 'kind'
const KINDS = 'dev.cosignproject.cosign/'
/** The end of the tag, for each value of the annotation. */
const SUFFIXES: ReadonlyMap<string, string> = new Map([
  [`${KINDS}sigs`, 'sig'],
  [`${KINDS}atts`, 'att'],
  [`${KINDS}sboms`, 'sbom']
])
const TAG = /^sha256-[0-9a-f]{64}\.(?:sig|att|sbom)$/

/** Signatures, attestations and SBOMs of an image have these tags. */
export function cosignTags(image: Digest): string[] {
  return [...SUFFIXES.values()].flatMap((suffix) => cosignTag(image, suffix) ?? [])
}

/** The tag for an entry of an index that `cosign save` wrote. */
export function savedTag(image: Descriptor, entry: Descriptor): string | undefined {
  if (![`${KINDS}image`, `${KINDS}imageIndex`].includes(kindOf(image))) return undefined
  const suffix = SUFFIXES.get(kindOf(entry))
  return suffix === undefined ? undefined : cosignTag(image.digest, suffix)
}

/** Whether an entry of an index is attached to another in one of these ways. */
export function isAttached(entry: Descriptor): boolean {
  return TAG.test(entry.annotations?.[REF_NAME] ?? '') || SUFFIXES.has(kindOf(entry))
}

/** cosign knows only images with this kind of digest. */
function cosignTag(image: Digest, suffix: string): string | undefined {
  const tag = `${image.replace(':', '-')}.${suffix}`
  return TAG.test(tag) ? tag : undefined
}

function kindOf({ annotations }: Descriptor): string {
  return annotations?.[KIND] ?? ''
}
