/** What can depend on the version of Node, without what takes longest: shells, umoci, random trees and the Debian image. */
import { configDefaults, defineConfig } from 'vitest/config'
import all from './vitest.config.ts'

const SLOW = [
  'test/{conformance,faults,hook-sets,types}/**',
  'test/engine/{parallel,threads,over-existing}-*',
  'test/engine/layer-directories.test.ts',
  'test/e2e/*{debian,interrupt,beside-umoci,tutorial,mounts,writers,hostile,unfinished,killed,stopped}*',
  'test/e2e/{completion,config,copy,foreign-images,from-other-tools,insert,mtree-validate,own-flags}.test.ts',
  'test/e2e/{repack-bad-input,repack-golden,repack-interop,runtime-config,umoci-flags}.test.ts'
]

/** Whether every flag is tested can only be said of all tests. */
const JUDGE = 'test/support/check-flags.ts'

export default defineConfig({
  test: {
    ...all.test,
    globalSetup: [all.test?.globalSetup ?? []].flat().filter((setup) => setup !== JUDGE),
    exclude: [...configDefaults.exclude, ...SLOW]
  }
})
