import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 180_000,
    globalSetup: ['scripts/compile-schemas.mjs', 'test/support/private-cache.ts'],
    hookTimeout: 120_000
  }
})
