/** The part of the library that works on layouts and their documents. It loads nothing else, so it starts fast. */
export {
  collectGarbage,
  initLayout,
  newImage,
  removeTag,
  tagImage,
  type Garbage,
  type GarbageOptions,
  type InitLayoutOptions,
  type NewImageOptions,
  type RemoveTagOptions,
  type TagImageOptions
} from './engine/layouts.ts'
export * from './inspect.ts'
