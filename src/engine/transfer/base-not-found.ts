/** The error for a base that is needed and found nowhere. */
import { sourceManifest, sourceRoot, type BundleMetadata } from '../../bundle/metadata.ts'
import { OciUnpackError } from '../../errors.ts'
import { formatImageName } from '../../transports/image-name.ts'
import type { ImageName } from '../../transports/list.ts'
import { isInLayout } from '../../transports/open-images.ts'

export interface MissingBase {
  metadata: BundleMetadata
  /** The name of the new image. */
  reference: ImageName
  /** Why the base is not where the new image goes. */
  missing: OciUnpackError
  /** The image that the bundle came from, if the bundle says where that is. */
  place: ImageName | undefined
  /** Why the base is not there either. */
  there?: OciUnpackError
}

/** It has the code of `missing`. */
export function baseNotFound(base: MissingBase): OciUnpackError {
  const { metadata, reference, missing, place, there } = base
  const target = isInLayout(reference) ? 'layout' : 'repository'
  const message = `The ${target} does not contain the image that the bundle came from.`
  return new OciUnpackError(missing.code, message, {
    facts: {
      ...missing.facts,
      expected: sourceManifest(metadata).digest,
      ...(there === undefined ? {} : { reason: `${formatImageName(place!)}: ${whyNot(there)}` })
    },
    hint: `${origin(place)} Or copy it first: oci-unpack copy IMAGE ${copyOf(base)}`,
    cause: there ?? missing
  })
}

function whyNot({ code, message }: OciUnpackError): string {
  return code === 'BLOB_NOT_FOUND' ? 'What is there is another image.' : message
}

function origin(place: ImageName | undefined): string {
  return place === undefined
    ? 'The bundle does not say where its image is: repack to the layout that it was unpacked from.'
    : `Put the image back where the bundle came from, ${formatImageName(place)}.`
}

/** A name that the base can have where the new image goes. */
function copyOf({ metadata, reference }: MissingBase): string {
  const tag = isInLayout(reference) ? 'base' : `@${sourceRoot(metadata).digest}`
  return formatImageName({ ...reference, tag })
}
