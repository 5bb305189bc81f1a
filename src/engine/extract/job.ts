/** What the steps of an unpack share. */
import type { ImageSource } from '../../store/image-source.ts'
import type { ResolvedImage } from '../../store/resolve.ts'
import type { ImageSettings, UnpackSettings } from './unpack-options.ts'

/** An image that was found, and how its layers are to be read. */
export interface ImageJob {
  source: ImageSource
  image: ResolvedImage
  settings: ImageSettings
}

/** The same, and what becomes of it. */
export interface Job extends ImageJob {
  settings: UnpackSettings
}
