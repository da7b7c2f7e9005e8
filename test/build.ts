import { spawnSync } from 'node:child_process'

/** Compiles once before the tests, and makes the bundles: worker threads, spawned programs and browsers run what is built. */
export default function build(): void {
  run('node_modules/typescript/bin/tsc', '-p', 'cmd/tsconfig.json', '--noCheck')
  run('.ci/bundle.mjs')
  run('.ci/client.mjs')
}

function run(...args: string[]): void {
  const done = spawnSync(process.execPath, args, { stdio: 'inherit' })
  if (done.status !== 0) throw new Error('the build failed (npm install adds packages that are missing)')
}
