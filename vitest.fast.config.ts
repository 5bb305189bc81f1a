/** What can depend on the version of Node, and does not take long. */
import { configDefaults, defineConfig } from 'vitest/config'
import all from './vitest.config.ts'

const SLOW = [
  '**/*.long.test.ts',
  'test/{conformance,faults,hook-sets,types}/**',
  'test/engine/{parallel,threads,over-existing}-*',
  'test/engine/layer-directories.test.ts'
]

/** Of the tests of whole commands, those of streams, signals, threads, connections and documents. */
const COMMANDS = [
  'bundle-mount',
  'compile-cache',
  'file',
  'gc',
  'hooks',
  'hostile',
  'interrupted-calls',
  'lazy-manifest',
  'names',
  'registry',
  'signals',
  'stat',
  'streams'
]

/** Whether every flag is tested can only be said of all tests. */
const JUDGE = 'test/support/check-flags.ts'

export default defineConfig({
  test: {
    ...all.test,
    globalSetup: [all.test?.globalSetup ?? []].flat().filter((setup) => setup !== JUDGE),
    include: [
      `test/e2e/{${COMMANDS.join(',')}}.test.ts`,
      'test/!(e2e)/**/*.test.ts',
      'test/*.test.ts'
    ],
    exclude: [...configDefaults.exclude, ...SLOW]
  }
})
