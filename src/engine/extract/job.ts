/** An image and what to do with it. */
import type { ImageSource } from '../../store/image-source.ts'
import type { ResolvedImage } from '../../store/resolve.ts'
import type { UnpackSettings } from './unpack-options.ts'

/** An image that was found, and what to do with it. */
export interface Job {
  source: ImageSource
  image: ResolvedImage
  settings: UnpackSettings
}
