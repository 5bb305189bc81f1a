/** Shows what refers to an image: signatures, SBOMs, attestations. */
import { OciUnpackError } from '../errors.ts'
import { parseIndex, parseManifest } from '../image/documents.ts'
import { mediaKind } from '../image/media-types.ts'
import type { Descriptor } from '../image/types.ts'
import type { RegistrySettings } from '../registry/registry.ts'
import { findEntry } from '../store/find-entry.ts'
import { prepared, type ImageSource } from '../store/image-source.ts'
import { documentSource } from '../store/manifests-in-index.ts'
import { imageReferrers } from '../store/referrers.ts'
import { parseImageName } from '../transports/image-name.ts'
import { tagInIndex, withImages } from '../transports/open-images.ts'
import { asked } from './operation/asked.ts'
import type { OnEvent } from './operation/events.ts'
import { requireOptions } from './operation/required-options.ts'
import { choiceTo, warningTo } from './operation/warnings.ts'

export interface ListReferrersOptions {
  /** `[TRANSPORT:]PATH[:TAG]` */
  image: string
  /** How registries are reached, and with which credentials; default as podman, skopeo and docker do. */
  registry?: RegistrySettings
  signal?: AbortSignal
  /** Gets warnings about names and documents. */
  onEvent?: OnEvent
}

export interface ListedReferrer {
  /** What it is, as a media type; undefined if it does not say. */
  artifactType: string | undefined
  /** Digest of the manifest or index that it refers to. */
  subject: string
  /** The tag by which cosign finds it, as in `sha256-….sig`. Undefined if its manifest names the subject. */
  tag: string | undefined
  descriptor: Descriptor
}

/**
 * What refers to an image, to an image in its index, or to something else in the list. These are what `copy` takes along
 * with `referrers`. @throws OciUnpackError with a stable `code`
 */
export async function listReferrers(options: ListReferrersOptions): Promise<ListedReferrer[]> {
  requireOptions(options, { image: 'text' })
  const { image, registry, signal, onEvent } = options
  const onWarning = warningTo(onEvent)
  return asked({ image }, () => {
    const name = parseImageName(image, onWarning)
    const opening = { registry, signal, onWarning, onChoice: choiceTo(onEvent), onRetry: onEvent }
    return withImages(name, opening, (source) => referrersTo(source, tagInIndex(name)))
  })
}

async function referrersTo(
  source: ImageSource,
  tag: string | undefined
): Promise<ListedReferrer[]> {
  const root = findEntry(source, tag)
  const found = await imageReferrers(source, root)
  return prepared(source, () =>
    found.map(({ descriptor, subject, tag }) => ({
      artifactType: typeOf(source, descriptor, tag !== undefined),
      subject,
      tag,
      descriptor
    }))
  )
}

/** Registries state it with the descriptor. Layouts need not. cosign makes ordinary images, of layers that tell. */
function typeOf(
  source: ImageSource,
  descriptor: Descriptor,
  isCosign: boolean
): string | undefined {
  if ((descriptor.artifactType ?? '') !== '') return descriptor.artifactType
  const about = documentSource(descriptor)
  try {
    const bytes = source.readDocument(descriptor)
    if (mediaKind(descriptor.mediaType).kind === 'index')
      return parseIndex(bytes, about).artifactType
    const { artifactType = '', config, layers } = parseManifest(bytes, about)
    if (artifactType !== '') return artifactType
    return (isCosign ? layers[0]?.mediaType : undefined) ?? config.mediaType
  } catch (error) {
    if (error instanceof OciUnpackError) return undefined
    throw error
  }
}
