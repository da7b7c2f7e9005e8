import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: new URL('../../..', import.meta.url).pathname,
  test: {
    include: ['test/clients/agents/*.story.ts'],
    globalSetup: ['test/build.ts'],
    pool: 'forks',
    // An agent that is slowed down on a busy machine gets one more chance, and is reported as flaky.
    retry: process.env.CI ? 1 : 0,
    testTimeout: 150_000,
    hookTimeout: 60_000,
  },
})
