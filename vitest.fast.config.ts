/** What can depend on the version of Node, and does not take long. */
import { configDefaults, defineConfig } from 'vitest/config'
import all from './vitest.config.ts'

const SLOW = [
  '**/*.long.test.ts',
  'test/{conformance,faults,hook-sets,types}/**',
  'test/engine/{parallel,threads,over-existing}-*',
  'test/engine/layer-directories.test.ts'
]

/** Decisions of ours between streams, threads and system calls that other tests have, too. */
const OURS = [
  'test/engine/{base-elsewhere,bundles-in-directory,delayed-stages,masked-files,repack-edges,save-bundle,select-bundle}.test.ts',
  'test/engine/{storage,upgrade}/**',
  'test/support/**',
  'test/transports/tar-shapes.test.ts'
]

/** Pure: what they do with bytes, every version of Node does. */
const PURE = 'test/{disk,erofs,image,mtree,nbd,plan,tar,vmdk}/**'

/** Of the tests of whole commands, those of streams, signals, threads and documents. Connections are those of test/registry. */
const COMMANDS = [
  'bundle-mount',
  'compile-cache',
  'file',
  'gc',
  'hooks',
  'interrupted-calls',
  'lazy-manifest',
  'names',
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
      'test/package.test.ts'
    ],
    exclude: [...configDefaults.exclude, ...SLOW, ...OURS, PURE]
  }
})
