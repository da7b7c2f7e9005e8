import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

/** Runs npm in a folder, for that folder alone, whatever npm around us was asked for; returns how it ended. */
export function npm(folder, args) {
  const running = process.env.npm_execpath
  const [command, words] = running?.endsWith('npm-cli.js') ? [process.execPath, [running, ...args]] : ['npm', args]
  return spawnSync(command, words, { cwd: folder, stdio: ['ignore', 2, 2], env: environment() })
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
