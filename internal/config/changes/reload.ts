import { isDeepStrictEqual } from 'node:util'
import { type Config, settings } from '../schema/schema.ts'
import { valueAt } from '../values/layers.ts'

/** What differs between two configurations, by the names of settings in the order of the schema. */
export interface Changes {
  /** Applied while running. */
  readonly live: readonly string[]
  /** Take effect at the next start only: listeners, outbound proxy, who is told, database and log format. */
  readonly restart: readonly string[]
  /** The new configuration with the old values of `restart`: what holds until then. */
  readonly inForce: Config
}

const atStart: readonly (readonly [section: keyof Config, key: string])[] = [
  ['server', 'listen'],
  ['server', 'tls'],
  ['admin', 'socket'],
  ['admin', 'listen'],
  ['admin', 'tokenFile'],
  ['upstream', 'proxy'],
  ['notices', 'telegram'],
  ['notices', 'webhook'],
  ['notices', 'timeZone'],
  ['notices', 'host'],
  ['store', 'url'],
  ['store', 'passwordFile'],
  ['store', 'tls'],
  ['store', 'connectMs'],
  ['store', 'statementMs'],
  ['store', 'connections'],
  ['web', 'listen'],
  ['web', 'publicUrl'],
  ['log', 'format'],
]

/** The changes from `before` to `after`, split by whether a running daemon can apply them. */
export function reloadable(before: Config, after: Config): Changes {
  const changed = [...settings.keys()].filter((key) => !isDeepStrictEqual(valueAt(before, key), valueAt(after, key)))
  const needsStart = (key: string) =>
    atStart.some(([section, name]) => key === `${section}.${name}` || key.startsWith(`${section}.${name}.`))
  return {
    live: changed.filter((key) => !needsStart(key)),
    restart: changed.filter(needsStart),
    inForce: {
      ...after,
      server: { ...after.server, listen: before.server.listen, tls: before.server.tls },
      admin: before.admin,
      upstream: { ...after.upstream, proxy: before.upstream.proxy },
      notices: { ...after.notices, ...keptOf(before.notices) },
      store: before.store,
      web: before.web,
      log: { ...after.log, format: before.log.format },
    },
  }
}

function keptOf({ telegram, webhook, timeZone, host }: Config['notices']) {
  return { telegram, webhook, timeZone, host }
}
