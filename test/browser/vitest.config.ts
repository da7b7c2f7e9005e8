import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  test: {
    // `npm run pictures` makes those of the documents.
    include: [process.env.SPILLWAY_PICTURES ? 'test/browser/*.picture.ts' : 'test/browser/*.story.ts'],
    globalSetup: ['test/build.ts'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    expect: { poll: { timeout: 15_000, interval: 25 } },
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
})
