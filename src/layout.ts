/** The part of the library that works on layouts and their documents. It loads nothing else, so it starts fast. */
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
