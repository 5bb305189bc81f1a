import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // one for each processor: by default one is left for others
    maxWorkers: '100%',
    testTimeout: 180_000,
    globalSetup: [
      'scripts/compile-schemas.mjs',
      'test/support/private-cache.ts',
      'test/faults/one-seed.ts',
      'test/support/check-flags.ts'
    ],
    setupFiles: ['test/support/equal-bytes.ts'],
    hookTimeout: 120_000
  }
})
