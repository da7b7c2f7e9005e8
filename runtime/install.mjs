// Installs what the running Node needs beside the package's dependencies: on Node 20 a better-sqlite3 of its own. Newer
// Nodes need nothing. Runs after an install, and whenever a checkout is started, because its Node may be another one by now.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { refusalOf, sqliteFor } from './supported.mjs'

const folder = fileURLToPath(new URL('node20/', import.meta.url))
const compiled = join(folder, 'node_modules/better-sqlite3-12/build/Release/better_sqlite3.node')

const refusal = refusalOf(process.versions)
if (refusal !== null) {
  console.error(refusal)
  process.exit(1)
}
if (sqliteFor(process.versions) === 12 && !existsSync(compiled)) install()

function install() {
  console.error('Node 20 needs a better-sqlite3 of its own: installing 12.11 once; compiling it takes about a minute')
  const done = spawnSync(...npm('ci', '--no-audit', '--no-fund', '--loglevel=error'), {
    cwd: folder,
    stdio: ['ignore', 2, 2],
    env: environment(),
  })
  if (done.status === 0 && existsSync(compiled)) return
  console.error(
    'better-sqlite3 12.11 could not be installed: on Node 20 it needs python and a C++ compiler; Node 24 needs neither',
  )
  process.exit(1)
}

/** The npm that runs us, or the one on the PATH, on this very Node. */
function npm(...args) {
  const running = process.env.npm_execpath
  return running?.endsWith('npm-cli.js') ? [process.execPath, [running, ...args]] : ['npm', args]
}

/** Without what an npm around us says about its own install; with this Node first, and its headers when it has brought them. */
function environment() {
  const own =
    /^npm_(config_(global|location|prefix|local_prefix|dry_run|omit|include|save.*|workspace.*|package_lock.*)|package_.*|lifecycle_.*)$/i
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)))
  const home = dirname(dirname(process.execPath))
  if (existsSync(join(home, 'include/node/node.h'))) env.npm_config_nodedir = home
  env.PATH = `${dirname(process.execPath)}${delimiter}${env.PATH ?? ''}`
  return env
}
