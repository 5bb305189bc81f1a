/** Opens an image from which a story reads files. */
import { resolveImage } from '../../store/resolve.ts'
import { imageEvent } from '../extract/image-event.ts'
import type { ImageJob } from '../extract/job.ts'
import { normalizeImage, type ImageOptions } from '../extract/unpack-options.ts'
import { asked } from '../operation/asked.ts'
import { withSource } from '../transfer/with-source.ts'

/** @throws OciUnpackError with a stable `code` */
export async function withImage<T>(
  options: ImageOptions,
  act: (job: ImageJob) => Promise<T>
): Promise<T> {
  return asked({ image: options.image }, () => {
    const settings = normalizeImage(options)
    const { reference, layoutOptions, platform, signal } = settings
    return withSource(reference, { ...layoutOptions, signal }, async (source, tag) => {
      const image = resolveImage(source, tag, platform)
      settings.onEvent(imageEvent(options.image, image))
      return act({ source, image, settings })
    })
  })
}
