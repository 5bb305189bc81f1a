/** The library: what programs may rely on. */
export { OciUnpackError, type ErrorCode, type FactName, type Facts } from './errors.ts'
export { unpack, unpackRootfs, type UnpackResult } from './engine/unpack.ts'
export type { UnpackLimits, UnpackOptions } from './engine/extract/unpack-options.ts'
export { repack, type RepackOptions } from './engine/repack.ts'
export { diff, type DiffEntry, type DiffOptions } from './engine/diff.ts'
export {
  upgradeBundle,
  type UpgradeBundleOptions,
  type UpgradeBundleResult
} from './engine/upgrade-bundle.ts'
export type {
  ChangeKind,
  KeptChange,
  MergeConflict,
  Resolution
} from './plan/upgrade/merge-plan.ts'
export { initLayout, newImage, tagImage, removeTag } from './layout.ts'
export {
  listLayout,
  listImages,
  listReferrers,
  statImage,
  statJson,
  collectGarbage
} from './layout.ts'
export type * from './layout.ts'
export { validateTree, type ValidateOptions, type Validation } from './engine/validate-tree.ts'
export { insert, type InsertOptions } from './engine/insert.ts'
export { configureImage, type ConfigOptions } from './engine/change-config.ts'
export type { ClearKey, ConfigChanges } from './image/config-changes.ts'
export { writeRuntimeConfig, type RuntimeConfigOptions } from './engine/write-runtime-config.ts'
export { addLayerArchive, type AddLayerOptions } from './engine/add-layer.ts'
export { copy, type CopyOptions, type CopyResult } from './engine/copy.ts'
export {
  verify,
  type BlobReport,
  type BlobStatus,
  type VerifyOptions,
  type VerifyResult
} from './engine/verify.ts'
export {
  listFiles,
  type ListedFile,
  type ListFilesOptions,
  type ListFilesResult
} from './engine/list-files.ts'
export { catFile, type CatFileOptions } from './engine/cat-file.ts'
export {
  extractFiles,
  type ExtractFilesOptions,
  type ExtractFilesResult
} from './engine/extract-files.ts'
export {
  exportFile,
  type ExportFileOptions,
  type ExportFileResult,
  type FileDisk
} from './engine/export-file.ts'
export {
  indexLayers,
  type IndexedLayer,
  type IndexLayersOptions,
  type IndexLayersResult
} from './engine/index-layers.ts'
export {
  imageFileStream,
  openImageFile,
  type FileExtent,
  type ImageFile,
  type ImageFileOptions
} from './engine/files/image-file.ts'
export {
  serveFiles,
  type FileServer,
  type ServedExport,
  type ServeFilesOptions
} from './engine/serve-files.ts'
export {
  makeErofs,
  type MakeErofsOptions,
  type MakeErofsResult,
  type VmdkForm
} from './engine/make-erofs.ts'
export {
  verifyErofs,
  type ErofsFileReport,
  type ErofsFileStatus,
  type VerifyErofsOptions,
  type VerifyErofsResult
} from './engine/verify-erofs.ts'
export {
  mountErofs,
  umountErofs,
  type MountErofsOptions,
  type MountErofsResult,
  type UmountErofsOptions
} from './engine/mount-erofs.ts'
export type { ErofsFile, ImageSet, VerityFile } from './engine/erofs/image-set.ts'
export type { ImageOptions } from './engine/extract/unpack-options.ts'
export type { ChangeOptions, ChangeResult, CompressOption } from './engine/edit/change-options.ts'
export type { TagOptions } from './engine/change-tag.ts'
export type { HistoryOptions } from './engine/edit/history.ts'
export type { MaskOptions } from './engine/changes/masks.ts'
export type { HookFileOption, HooksOption } from './engine/operation/open-hooks.ts'
export { mountBundle, umountBundle, type MountBundleOptions } from './engine/mount-bundle.ts'
export { saveBundle, type SaveBundleOptions } from './engine/save-bundle.ts'
export { listBundles, type ListBundlesOptions } from './engine/list-bundles.ts'
export type { ListedBundle } from './engine/inventory/look-at-bundle.ts'
export {
  pruneBundles,
  type KeptBecause,
  type PruneBundlesOptions,
  type PrunedBundle
} from './engine/prune-bundles.ts'
export {
  selectBundle,
  type SelectBundleOptions,
  type SelectBundleResult
} from './engine/select-bundle.ts'
export { deleteBundle, type DeleteBundleOptions } from './engine/delete-bundle.ts'
export {
  collectStore,
  type CollectStoreOptions,
  type CollectStoreResult
} from './engine/collect-storage.ts'
export {
  describeHooks,
  type HookPointDescription,
  type HooksDescription
} from './conformance/describe-hooks.ts'
export {
  hookTestCases,
  testHooks,
  type HookTestCase,
  type TestHooksOptions
} from './conformance/test-hooks.ts'
export type { ConformanceReport, ConformanceRow, Failure, Verdict } from './conformance/report.ts'
export type { UnpackHooks } from './hooks/unpack-hooks.ts'
export type {
  EngineEvent,
  HookCallEvent,
  LayerInfo,
  OnEvent,
  Phase
} from './engine/operation/events.ts'
export type { LayerCounters } from './worker/control.ts'
export { parseIdMap, type IdMapping } from './plan/id-map.ts'
