import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Agent } from './roster.ts'

const here = fileURLToPath(new URL('programs', import.meta.url))
const cache = fileURLToPath(new URL('../../../node_modules/.cache', import.meta.url))

/** The agents as they are installed, or why they are not. */
export type Programs = { readonly folder: string } | { readonly missing: string }

/** Installs the pinned agents once for each lock file, without any script of theirs. */
export function installed(): Programs {
  const lock = join(here, 'package-lock.json')
  const folder = join(cache, `agents-${createHash('sha256').update(readFileSync(lock)).digest('hex').slice(0, 12)}`)
  const done = join(folder, 'installed')
  if (existsSync(done)) return { folder }
  mkdirSync(folder, { recursive: true })
  for (const name of ['package.json', 'package-lock.json']) copyFileSync(join(here, name), join(folder, name))
  const args = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const { status, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8', timeout: 900_000 })
  if (status !== 0) return { missing: `the agents cannot be installed: ${stderr.trim().slice(0, 300)}` }
  writeFileSync(done, '')
  return { folder }
}

/** Why an agent cannot be run here; null when it can. */
export function hindrance(agent: Agent, programs: Programs): string | null {
  if ('missing' in programs) return programs.missing
  const { program, isScript } = agent.start({ base: '', key: '', home: '' })
  if (!existsSync(join(programs.folder, program))) return `${agent.name} has no program for this platform`
  const own = Number(process.versions.node.split('.')[0])
  return isScript && own < agent.node ? `${agent.name} needs node ${agent.node}, this is ${own}` : null
}
