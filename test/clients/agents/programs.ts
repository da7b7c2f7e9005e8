import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('programs', import.meta.url))
const cache = fileURLToPath(new URL('../../../node_modules/.cache', import.meta.url))

/** The folder in which the pinned agents are; installs them once for each lock file, without any script of theirs. */
export function installed(): string {
  const lock = join(here, 'package-lock.json')
  const folder = join(cache, `agents-${createHash('sha256').update(readFileSync(lock)).digest('hex').slice(0, 12)}`)
  mkdirSync(folder, { recursive: true })
  for (const name of ['package.json', 'package-lock.json', 'ask.mjs'])
    copyFileSync(join(here, name), join(folder, name))
  const done = join(folder, 'installed')
  if (existsSync(done)) return folder
  const args = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const { status, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8', timeout: 900_000 })
  if (status !== 0) throw new Error(`the agents cannot be installed: ${stderr.trim().slice(0, 300)}`)
  writeFileSync(done, '')
  return folder
}

/** The node that runs the agents that are scripts: a pinned one, because some need a newer one than spillway does. */
export function nodeFor(folder: string): string {
  const pinned = join(folder, `node_modules/node-${process.platform}-${process.arch}/bin/node`)
  return existsSync(pinned) ? pinned : process.execPath
}
