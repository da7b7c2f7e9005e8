import { spawnSync } from 'node:child_process'

/** Compiles once before the tests: worker threads and spawned programs run the emitted JavaScript. */
export default function build(): void {
  const done = spawnSync(
    process.execPath,
    ['node_modules/typescript/bin/tsc', '-p', 'cmd/tsconfig.json', '--noCheck'],
    {
      stdio: 'inherit',
    },
  )
  if (done.status !== 0) throw new Error('the build failed')
}
