import { formatProblems, type LoadOptions, loadConfig } from '../../config/config.ts'
import { Refusal } from '../../ops/ops.ts'
import type { Places } from '../places.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Who acts from the command line. */
export const actor = 'operator:cli'

/** What the command line may say about addresses. */
interface Flags {
  readonly listen: string | null
  readonly adminListen: string | null
}

/** How the configuration of these places is read. */
export function loading(places: Places, env: Environment, options?: Flags): LoadOptions {
  const flags = [
    ...(options?.listen ? [{ key: 'server.listen', text: options.listen, from: '--listen' }] : []),
    ...(options?.adminListen ? [{ key: 'admin.listen', text: options.adminListen, from: '--admin-listen' }] : []),
  ]
  return { file: places.config, explicit: places.explicit, env, dataDir: places.data, flags }
}

/** The configuration; refuses with every problem. */
export function load(options: LoadOptions) {
  const loaded = loadConfig(options)
  if (loaded.ok) return loaded
  const count = loaded.problems.length === 1 ? 'a problem' : `${loaded.problems.length} problems`
  throw new Refusal('failed', `the configuration has ${count}:\n${formatProblems(loaded.problems)}`)
}
