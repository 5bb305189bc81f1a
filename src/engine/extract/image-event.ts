/** The first event of every operation that reads layers. */
import { target } from '../../image/choice.ts'
import type { ResolvedImage } from '../../store/resolve.ts'
import type { EngineEvent } from '../operation/events.ts'

/** @param name the image as its user named it */
export function imageEvent(
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
