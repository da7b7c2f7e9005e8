// Makes a fresh clone runnable: installs when the lock file changed, and with `build` compiles when a source is newer.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { npm } from '../runtime/npm.mjs'
import { refusalOf } from '../runtime/supported.mjs'

const refusal = refusalOf(process.versions)
if (refusal !== null) {
  console.error(refusal)
  process.exit(1)
}
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const at = (...parts) => join(root, ...parts)
const modified = (file) => (existsSync(file) ? statSync(file).mtimeMs : 0)

function run(command, args) {
  const done = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] })
  if (done.status !== 0) process.exit(done.status ?? 1)
}

function newest(folder) {
  let latest = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    latest = Math.max(latest, entry.isDirectory() ? newest(path) : modified(path))
  }
  return latest
}

const installed = at('node_modules', '.cache', 'installed')
if (modified(installed) < modified(at('package-lock.json'))) {
  // Not `npm ci`: it refuses a lock file that leaves out the optional binaries of platforms whose packages a registry lacks.
  // Without scripts: nothing has to be compiled, and what Node 20 needs comes below.
  const done = npm(root, ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'])
  if (done.status !== 0) process.exit(done.status ?? 1)
  mkdirSync(dirname(installed), { recursive: true })
  writeFileSync(installed, '')
}
// Also without an install: the Node may be another one by now.
await import('../runtime/install.mjs')

const built = at('dist', '.tsbuildinfo')
const sources = ['cmd', 'internal', 'test/fakes', 'test/bench'].map((folder) => at(folder)).filter(existsSync)
if (process.argv.includes('build') && modified(built) < Math.max(...sources.map(newest))) {
  run(process.execPath, [at('node_modules/typescript/bin/tsc'), '-p', at('cmd/tsconfig.json')])
  run(process.execPath, [at('.ci/bundle.mjs')])
  run(process.execPath, [at('.ci/client.mjs')])
  // A program that was linked before goes on being one.
  chmodSync(at('dist/cmd/spillway/main.js'), 0o755)
}
