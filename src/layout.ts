/** The part of the library that works on layouts and their documents: it starts fast, for it loads no more. */
export {
  initLayout,
  newImage,
  removeTag,
  tagImage,
  type InitLayoutOptions,
  type NewImageOptions,
  type RemoveTagOptions,
  type TagImageOptions
} from './engine/layouts.ts'
export {
  listImages,
  listLayout,
  type ListedImage,
  type ListedPlatform,
  type ListOptions
} from './engine/list-images.ts'
export {
  statImage,
  type DocumentStat,
  type HistoryStat,
  type ImageStat,
  type PlatformStat,
  type StatOptions,
  type TagStat
} from './engine/stat-image.ts'
export { statJson } from './engine/stat-json.ts'
export { collectGarbage, type Garbage, type GarbageOptions } from './engine/collect-garbage.ts'
export type { Descriptor, History, ImageConfig, ImageManifest, Platform } from './image/types.ts'
