/** The part of the library that only reads documents: no native code, no threads, so it starts at once. */
export {
  listImages,
  listLayout,
  type ListedImage,
  type ListedPlatform,
  type ListOptions
} from './engine/list-images.ts'
export {
  listReferrers,
  type ListedReferrer,
  type ListReferrersOptions
} from './engine/list-referrers.ts'
export {
  statImage,
  type DocumentStat,
  type HistoryStat,
  type ImageStat,
  type PlatformStat,
  type StatOptions,
  type TagStat
} from './engine/stat-image.ts'
export type { RegistryCredentials, RegistrySettings } from './registry/registry.ts'
export { statJson } from './engine/stat-json.ts'
export type { Descriptor, History, ImageConfig, ImageManifest, Platform } from './image/types.ts'
