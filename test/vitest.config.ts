import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    include: ['internal/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/build.ts'],
    pool: 'forks',
    // Most stories wait for processes and disks rather than for the processor.
    maxWorkers: 3,
    expect: { poll: { timeout: 15_000, interval: 25 } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    coverage: {
      provider: 'v8',
      include: ['internal/pool/**/*.ts', 'internal/dialect/**/*.ts'],
      exclude: ['**/*.test.ts'],
      thresholds: { branches: 100 },
    },
  },
})
