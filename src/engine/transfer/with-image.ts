/** An image that a story works on: found, announced, and kept while it is read. */
import { target } from '../../image/choice.ts'
import { assertLayers, resolveImage, type ResolvedImage } from '../../store/resolve.ts'
import type { ImageJob } from '../extract/job.ts'
import type { ImageSettings } from '../extract/unpack-options.ts'
import type { EngineEvent } from '../operation/events.ts'
import { withSource } from './with-source.ts'

/** @param name the image as its user named it @throws OciUnpackError with a stable `code` */
export async function withImage<Settings extends ImageSettings, T>(
  name: string,
  settings: Settings,
  act: (job: ImageJob & { settings: Settings }) => Promise<T>
): Promise<T> {
  const { reference, layoutOptions, platform, signal, onEvent } = settings
  return withSource(reference, { ...layoutOptions, signal, onEvent }, async (source, tag) => {
    const image = resolveImage(source, tag, platform)
    assertLayers(image)
    onEvent(imageEvent(name, image))
    return act({ source, image, settings })
  })
}

/** The first event of all that reads layers. */
function imageEvent(
  name: string,
  { descriptorPath, manifest, config }: ResolvedImage
): EngineEvent {
  const layers = manifest.layers.map(({ digest, mediaType, size }, index) => ({
    digest,
    diffId: config.rootfs.diff_ids[index]!,
    mediaType,
    size
  }))
  return { type: 'image', image: name, manifest: target(descriptorPath).digest, layers }
}
