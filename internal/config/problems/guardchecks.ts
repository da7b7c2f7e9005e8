import { homedir } from 'node:os'
import { isAbsolute, relative, resolve } from 'node:path'
import type { z } from 'zod'
import type { guard } from '../schema/guard.ts'
import type { Clash, Settled } from './clash.ts'

type Guard = z.output<typeof guard>
type HotPath = Guard['hotPaths'][string]
/** Makes a path absolute. */
type Whole = (path: string) => string

/** Contradictions between the entries of the guard, and within them. */
export function guardClashes(settled: Settled, whole: Whole): readonly Clash[] {
  const of = <K extends keyof Guard>(key: K) => Object.entries((settled(`guard.${key}`) ?? {}) as Guard[K])
  const hotPaths = of('hotPaths')
  const known = new Set(hotPaths.map(([name]) => name))
  const isKnown = settled('guard.hotPaths') !== undefined
  return [
    ...of('budgets').flatMap(([name, budget]) => budgetClashes(`guard.budgets.${name}`, budget, whole)),
    ...hotPaths.flatMap(([name, hot]) => hotPathClashes(`guard.hotPaths.${name}`, hot, whole)),
    ...of('workers').flatMap(([name, worker]) => [
      ...say(
        known.has(name),
        `guard.workers.${name}`,
        'has the name of a hot path',
        'give it another: guard enable and disable go by the name',
      ),
      ...worker.hotPaths.flatMap((path: string, index: number) =>
        say(
          isKnown && !known.has(path),
          `guard.workers.${name}.hotPaths.${index}`,
          `there is no hot path ${path}`,
          known.size === 0 ? 'guard.hotPaths is empty' : `there are ${[...known].join(', ')}`,
        ),
      ),
    ]),
  ]
}

function budgetClashes(key: string, budget: Guard['budgets'][string], whole: Whole): readonly Clash[] {
  const { maxBytes, maxFiles, maxAge, action, path } = budget
  const unlimited = maxBytes === null && maxFiles === null && maxAge === null
  const all = resolve(whole(path))
  const wide = action === 'prune' && (all === '/' || all === homedir())
  return [
    ...say(unlimited, key, 'has no limit', 'set maxBytes, maxFiles or maxAge'),
    ...say(wide, `${key}.path`, 'is too wide to be pruned', 'name the directory that jobs fill'),
  ]
}

function hotPathClashes(key: string, { path, pathsFrom, root, recover }: HotPath, whole: Whole): readonly Clash[] {
  const outside = path !== null && root !== null && !isWithin(whole(path), whole(root))
  return [
    ...say(path === null && pathsFrom === null, key, 'has no path', 'set path or pathsFrom'),
    ...say(path !== null && pathsFrom !== null, `${key}.pathsFrom`, 'contradicts path', 'keep one of the two'),
    ...say(recover.unmount && root === null, `${key}.root`, 'is missing', 'only a mountpoint under it is unmounted'),
    ...say(
      root !== null && resolve(whole(root)) === '/',
      `${key}.root`,
      'is too wide',
      'name the folder whose mounts may be unmounted',
    ),
    ...say(outside, `${key}.path`, 'is not under root', null),
    ...say(
      recover.remount !== null && !recover.unmount,
      `${key}.recover.remount`,
      'needs unmount',
      'over a stale mount nothing is mounted again: set unmount: true',
    ),
  ]
}

function isWithin(path: string, root: string): boolean {
  const way = relative(root, path)
  return way === '' || (!way.startsWith('..') && !isAbsolute(way))
}

function say(when: boolean, key: string, message: string, hint: string | null): readonly Clash[] {
  return when ? [{ key, message, hint }] : []
}
