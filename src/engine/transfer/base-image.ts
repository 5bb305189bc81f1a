/** The image that a bundle was unpacked from, where the bundle says that it is. */
import { sourceRoot, type BundleMetadata } from '../../bundle/metadata.ts'
import { OciUnpackError, type ErrorCode } from '../../errors.ts'
import type { Digest } from '../../image/digest.ts'
import { OCI_INDEX } from '../../image/media-types.ts'
import type { Descriptor } from '../../image/types.ts'
import { settingsForUnnamed } from '../../registry/named-host.ts'
import type { ImageSource } from '../../store/image-source.ts'
import { imageAt, type ImageName } from '../../transports/list.ts'
import { openHeld } from '../../transports/open-images.ts'
import { pause } from '../operation/abort.ts'
import { choiceTo, warningTo } from '../operation/warnings.ts'
import { baseNotFound } from './base-not-found.ts'
import type { TransferOptions } from './transfer-help.ts'

/** The base is needed for an image that gets this name. */
export interface BaseOptions extends TransferOptions {
  reference: ImageName
}

/**
 * Opens that place. The image has the digest of `sourceRoot` there.
 * @param missing why the base is not where the new image goes
 * @throws its code, if the base is nowhere; REGISTRY_*, ABORTED
 */
export async function openBase(
  metadata: BundleMetadata,
  options: BaseOptions,
  missing: OciUnpackError
): Promise<ImageSource> {
  const { reference } = options
  const place = basePlace(metadata)
  if (place === undefined) throw baseNotFound({ metadata, reference, missing, place })
  try {
    return await openAt(place, rootOf(metadata), options)
  } catch (there) {
    if (!(there instanceof OciUnpackError) || !isAbsence(there, place)) throw there
    throw baseNotFound({ metadata, reference, missing, place, there })
  }
}

/** Undefined if the bundle does not say. */
export function basePlace(metadata: BundleMetadata): ImageName | undefined {
  const { source } = metadata
  return source && imageAt(source, sourceRoot(metadata).digest)
}

function rootOf(metadata: BundleMetadata): Descriptor {
  const { mediaType, digest, size } = sourceRoot(metadata)
  return { mediaType, digest: digest as Digest, size }
}

async function openAt(
  name: ImageName,
  root: Descriptor,
  { reference, registry, signal, onEvent }: BaseOptions
): Promise<ImageSource> {
  const opening = {
    signal,
    registry: isSameHost(name, reference) ? registry : settingsForUnnamed(registry),
    onWarning: warningTo(onEvent),
    onChoice: choiceTo(onEvent),
    onRetry: onEvent
  }
  const source = await openHeld(name, opening, () => pause(signal))
  if (source.repository !== undefined) return source
  try {
    source.readDocument(root)
    const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [root] } as const
    return { ...source, readIndex: () => index }
  } catch (error) {
    source.close()
    throw error
  }
}

/** Credentials are only for the host that the user named: a bundle may be a stranger's. */
function isSameHost(one: ImageName, other: ImageName): boolean {
  const areRemote = one.transport === 'docker' && other.transport === 'docker'
  return areRemote && one.path.split('/')[2] === other.path.split('/')[2]
}

const NOT_THERE: readonly ErrorCode[] = [
  'MANIFEST_NOT_FOUND',
  'REPOSITORY_NOT_FOUND',
  'BLOB_NOT_FOUND'
]

/** A registry that cannot be asked may have the image. Whatever keeps a path from being read, there is no image. */
function isAbsence({ code }: OciUnpackError, { transport }: ImageName): boolean {
  return NOT_THERE.includes(code) || (transport !== 'docker' && code !== 'ABORTED')
}
