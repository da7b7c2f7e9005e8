// What npm runs as `prepare`: on `npm pack`, on an install from git, and on an install in a clone. Leaves in dist/ what a
// package holds of it, compiled anew, so that no module is packed that is gone from the sources.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const at = (...parts) => join(root, ...parts)

function run(...args) {
  const done = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] })
  if (done.status !== 0) process.exit(done.status ?? 1)
}

const compiler = at('node_modules/typescript/bin/tsc')
if (!existsSync(compiler)) run(at('.ci/ready.mjs'))
for (const part of ['cmd', 'internal', '.tsbuildinfo']) rmSync(at('dist', part), { recursive: true, force: true })
run(compiler, '-p', at('cmd/tsconfig.json'))
run(at('.ci/bundle.mjs'))
run(at('.ci/client.mjs'))
// npm makes it executable when it links the program, and does so only once.
chmodSync(at('dist/cmd/spillway/main.js'), 0o755)
