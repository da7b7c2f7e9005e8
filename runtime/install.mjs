// Installs what the running Node needs beside the package's dependencies: on Node 20 a better-sqlite3 of its own. Newer
// Nodes need nothing. Runs after an install, and whenever a checkout is started, because its Node may be another one by now.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { npm } from './npm.mjs'
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
  const done = npm(folder, ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  if (done.status === 0 && existsSync(compiled)) return
  console.error(
    'better-sqlite3 12.11 could not be installed: on Node 20 it needs python and a C++ compiler; Node 24 needs neither',
  )
  process.exit(1)
}
