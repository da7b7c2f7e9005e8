import type { LoadOptions } from '../../config/config.ts'
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
