import { homedir } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { kinds } from '../schema/kind.ts'
import { type Config, settings } from '../schema/schema.ts'
import { valueAt } from './layers.ts'

/** All paths of the guard begin where those of this setting do. */
export const guardKey = 'guard.budgets'

/** Where a relative path begins: what the file names, at the file's folder; the rest and the socket, at the data directory. */
export function pathBase(
  key: string,
  overrides: { has(key: string): boolean },
  options: { readonly file: string; readonly dataDir: string },
): string {
  const inDataDir = key === 'admin.socket' || key === 'store.url' || overrides.has(key)
  return inDataDir ? resolve(options.dataDir) : dirname(resolve(options.file))
}

/** The configuration with every path absolute, also the one in a `sqlite:` URL. */
export function withAbsolutePaths(config: Config, baseOf: (key: string) => string): Config {
  const result = structuredClone(config)
  for (const [key, setting] of settings) {
    const value = valueAt(config, key)
    if (!kinds.get(setting)?.path || typeof value !== 'string') continue
    const section = key.slice(0, key.lastIndexOf('.'))
    Reflect.set(Object(valueAt(result, section)), key.slice(section.length + 1), absolute(value, baseOf(key)))
  }
  const guard = guardPaths(result.guard, (path) => absolute(path, baseOf(guardKey)))
  const database = /^sqlite:(?!:memory:)(.*)$/.exec(config.store.url)?.[1]
  const url = database ? `sqlite:${absolute(database, baseOf('store.url'))}` : result.store.url
  const store = { ...result.store, url }
  return { ...result, guard, store }
}

/** Entries under names have their paths inside. */
function guardPaths(guard: Config['guard'], made: (path: string) => string): Config['guard'] {
  const or = (path: string | null) => (path === null ? null : made(path))
  const each = <E>(all: Readonly<Record<string, E>>, change: (entry: E) => E): Record<string, E> =>
    Object.fromEntries(Object.entries(all).map(([name, entry]) => [name, change(entry)]))
  return {
    budgets: each(guard.budgets, (budget) => ({ ...budget, path: made(budget.path) })),
    hotPaths: each(guard.hotPaths, (hot) => ({
      ...hot,
      path: or(hot.path),
      root: or(hot.root),
      recover: { ...hot.recover, enabledBy: or(hot.recover.enabledBy) },
    })),
    workers: each(guard.workers, (worker) => ({
      ...worker,
      enabledBy: or(worker.enabledBy),
      deployLock: worker.deployLock && { ...worker.deployLock, path: made(worker.deployLock.path) },
    })),
  }
}

/** The path from the root, with `~` as the home directory; a relative one begins at `base`. */
export function absolute(path: string, base: string): string {
  if (isAbsolute(path)) return path
  if (path === '~') return homedir()
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : join(base, path)
}
