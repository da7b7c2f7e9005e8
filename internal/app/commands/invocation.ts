import { realpathSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Invocation } from '../../cli/cli.ts'
import { placesOf } from '../places.ts'

type Environment = Readonly<Record<string, string | undefined>>
type Where = Parameters<typeof placesOf>[0]

/** What is running: Node and the file that it was given, both without links. */
interface Running {
  readonly node: string
  readonly main: string
}

/**
 * How this program is started again on the same installation. A data directory that only this shell's flag or variable
 * names is named in it.
 */
export function invocationOf(where: Where, env: Environment, running: Running = self()): Invocation {
  const program = onPath('spillway', env, running.main)
  const node = onPath('node', env, running.node)
  const flags = flagsFor(where, env)
  const script = program === null && node !== null ? (['node', running.main] as const) : null
  return {
    typed: program === null ? [...(script ?? [running.node, running.main]), ...flags] : ['spillway', ...flags],
    // A link outlives the version that it leads to.
    absolute: [node ?? running.node, running.main, ...flags],
  }
}

function flagsFor(where: Where, env: Environment): string[] {
  const { data, config, explicit } = placesOf(where, env)
  const { SPILLWAY_DATA: _, ...others } = env
  const usual = placesOf({ data: null, config: null }, others).data
  return [...(data === usual ? [] : ['--data', data]), ...(explicit ? ['--config', config] : [])]
}

/**
 * The first program of that name on the PATH, if it leads to the file; null if it is another one, or there is none. Folders
 * that npm and npx put there for one run are passed over: another terminal does not have them.
 */
function onPath(name: string, { PATH = '' }: Environment, file: string): string | null {
  for (const folder of PATH.split(delimiter)) {
    if (folder === '' || /[\\/]node_modules[\\/]\.bin[\\/]?$/.test(folder)) continue
    const path = join(folder, name)
    const target = realOf(path)
    if (target !== null) return target === file ? path : null
  }
  return null
}

function self(): Running {
  const main = process.argv[1] ?? ''
  return { node: realOf(process.execPath) ?? process.execPath, main: realOf(main) ?? main }
}

function realOf(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}
