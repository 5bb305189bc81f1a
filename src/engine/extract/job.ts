/** An image and what to do with it. */
import type { ImageSource } from '../../store/image-source.ts'
import type { ResolvedImage } from '../../store/resolve.ts'
import type { ImageSettings, UnpackSettings } from './unpack-options.ts'

/** An image that was found, and how to read its layers. */
export interface ImageJob {
  source: ImageSource
  image: ResolvedImage
  settings: ImageSettings
}

/** The same, with settings for unpacking. */
export interface Job extends ImageJob {
  settings: UnpackSettings
}
