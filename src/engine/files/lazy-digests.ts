/**
 * Where the digests come from that a lazy tree manifest does not state. If the image is gone, nobody can say whether a
 * file has changed. Then it counts as changed: the layer has more than it needs to, and no change is lost.
 */
import type { BundleMetadata, LazyManifest } from '../../bundle/metadata.ts'
import { OciUnpackError } from '../../errors.ts'
import { descriptorPath } from '../../image/choice.ts'
import type { ImageSource } from '../../store/image-source.ts'
import { assertLayers, readImage, type ResolvedImage } from '../../store/resolve.ts'
import { imageAt } from '../../transports/list.ts'
import type { ImageDigests } from '../changes/find-changes.ts'
import type { StageSettings } from '../extract/stage-layers.ts'
import type { EngineEvent, OnEvent } from '../operation/events.ts'
import { withSource } from '../transfer/with-source.ts'
import { imageDigests } from './image-digests.ts'

type ReadImage<T> = (source: ImageSource, image: ResolvedImage) => Promise<T>

/** Undefined for a full tree manifest. @param source where the image that the bundle was made from is */
export function digestsIn(
  source: ImageSource,
  image: ResolvedImage,
  { lazy }: BundleMetadata,
  settings: StageSettings
): ImageDigests | undefined {
  return lazy && unlessGone(lazy, settings, (read) => read(source, image))
}

/** The same for an image that is still where it was unpacked from. */
export function digestsWhereUnpacked(
  metadata: BundleMetadata,
  settings: StageSettings
): ImageDigests | undefined {
  const { lazy } = metadata
  return lazy && unlessGone(lazy, settings, (read) => whileFound(metadata, lazy, settings, read))
}

/** A layer that is damaged, and not merely gone, is a failure. */
function unlessGone(
  { dirlinkLayers }: LazyManifest,
  settings: StageSettings,
  find: <T>(read: ReadImage<T>) => Promise<T>
): ImageDigests {
  const quiet = { ...settings, onEvent: warningsTo(settings.onEvent) }
  return async (paths) => {
    try {
      return await find((source, image) =>
        imageDigests({ source, image, dirlinkLayers, settings: quiet }, paths)
      )
    } catch (error) {
      if (!(error instanceof OciUnpackError) || error.code !== 'BLOB_NOT_FOUND') throw error
      settings.onEvent(gone(error, paths.length))
      return new Map()
    }
  }
}

/** Reads the image of a bundle where it was unpacked from. @throws BLOB_NOT_FOUND if that is unknown or it is gone */
export async function whileImageFound<T>(
  metadata: BundleMetadata,
  settings: StageSettings,
  read: ReadImage<T>
): Promise<T> {
  const { source } = metadata
  if (source === undefined) throw notFound('unknown')
  return whileFound(metadata, source, settings, read)
}

async function whileFound<T>(
  { descriptorWalk }: BundleMetadata,
  place: Pick<LazyManifest, 'transport' | 'path'>,
  settings: StageSettings,
  read: ReadImage<T>
): Promise<T> {
  const name = imageAt(place, descriptorWalk[0]!.digest)
  if (name === undefined) throw notFound(place.path)
  const search = { isDone: false }
  try {
    return await withSource(name, settings, (source) => {
      const image = readImage(source, descriptorPath(descriptorWalk))
      assertLayers(image)
      search.isDone = true
      return read(source, image)
    })
  } catch (error) {
    if (search.isDone || !(error instanceof OciUnpackError) || error.code === 'ABORTED') throw error
    throw notFound(place.path, error)
  }
}

function notFound(path: string, cause?: OciUnpackError): OciUnpackError {
  const message = 'The image of the bundle cannot be found.'
  if (cause === undefined) return new OciUnpackError('BLOB_NOT_FOUND', message, { facts: { path } })
  const { file, ...facts } = cause.facts
  const other = file === undefined || file === path ? {} : { file }
  return new OciUnpackError('BLOB_NOT_FOUND', message, {
    facts: { ...facts, ...other, path, reason: cause.message },
    cause
  })
}

function warningsTo(onEvent: OnEvent): OnEvent {
  return (event) => {
    if (event.type === 'warning') onEvent(event)
  }
}

function gone({ facts }: OciUnpackError, files: number): EngineEvent {
  return {
    type: 'warning',
    message:
      'The image of the bundle is gone or not complete, so files that may have changed are treated as changed.',
    facts: { ...facts, found: files === 1 ? '1 file' : `${files} files` }
  }
}
