import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  test: {
    include: ['test/browser/*.story.ts'],
    globalSetup: ['test/build.ts'],
    pool: 'forks',
    maxWorkers: 1,
    expect: { poll: { timeout: 15_000, interval: 25 } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
