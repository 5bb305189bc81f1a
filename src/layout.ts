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
export { collectGarbage, type Garbage, type GarbageOptions } from './engine/collect-garbage.ts'
export * from './inspect.ts'
