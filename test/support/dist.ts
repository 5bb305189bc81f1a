/**
 * The built program, for what only it can do: threads start from a JavaScript file. `npm test` builds first.
 */
const dist = new URL('../../dist/', import.meta.url)
/** The same, module by module. */
const build = new URL('../../build/', import.meta.url)

type Library = typeof import('../../src/index.ts')
type ScanModule = typeof import('../../src/engine/tree/scan-tree.ts')
type SurveyModule = typeof import('../../src/engine/storage/write-survey.ts')
type PoolModule = typeof import('../../src/worker/pool.ts')

/** For processes that a test starts. */
export const libraryFile: string = new URL('index.js', dist).href
export const library = (await import(libraryFile)) as Library
export const { Pool } = (await import(new URL('worker/pool.js', build).href)) as PoolModule
export const { scanTree } = (await import(
  new URL('engine/tree/scan-tree.js', build).href
)) as ScanModule
export const { writeSurvey } = (await import(
  new URL('engine/storage/write-survey.js', build).href
)) as SurveyModule
