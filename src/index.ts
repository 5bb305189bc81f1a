/** The library: what programs may rely on. */
export { OciUnpackError, type ErrorCode, type FactName, type Facts } from './errors.ts'
export { unpack, unpackRootfs, type UnpackResult } from './engine/unpack.ts'
export type { UnpackLimits, UnpackOptions } from './engine/unpack-options.ts'
export type { EngineEvent, LayerInfo, OnEvent, Phase } from './engine/events.ts'
export type { LayerCounters } from './worker/control.ts'
export { parseIdMap, type IdMapping } from './plan/id-map.ts'
