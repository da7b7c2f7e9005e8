import type { RecoveryRefusal } from '../../events/events.ts'
import { isUnder, type PathState } from './path.ts'
import { isTooOften, mostStarts } from './rate.ts'

export interface PathSeen {
  readonly path: string
  readonly state: PathState
}

type Words = readonly [string, ...string[]]

/** A worker that needs the hot path. */
export interface WorkerSeen {
  readonly name: string
  readonly active: boolean | null
  /** Whether the guard may stop and start it now: its sentinel file exists, and no deployment holds the lock. */
  readonly free: boolean
  /** When it was started within the hour: whoever stops it has to start it again. */
  readonly starts: readonly number[]
  readonly start: Words
  readonly stop: Words | null
}

/** Everything that decides about a recovery. */
export interface RecoveryFacts {
  readonly dryRun: boolean
  /** Whether the sentinel file exists. */
  readonly enabled: boolean
  readonly paths: readonly PathSeen[]
  /** The path of the configuration must be the mountpoint itself; of a path that a command prints, the mount that holds it counts. */
  readonly exact: boolean
  readonly root: string | null
  readonly unmount: boolean
  readonly remount: Words | null
  readonly after: readonly Words[]
  /** What an earlier recovery unmounted and could not mount again; null: nothing. */
  readonly unmounted: string | null
  readonly mountpoints: readonly { readonly mountpoint: string; readonly type: string }[]
  /** The paths that running work uses; null: could not be found out. */
  readonly running: readonly PathSeen[] | null
  readonly workers: readonly WorkerSeen[]
  readonly recoveries: readonly number[]
  readonly maxPerHour: number
  readonly now: number
}

/** One step of a recovery, in the order in which they are done. */
export type Step =
  | { readonly step: 'quiesce' | 'start'; readonly worker: string; readonly command: Words }
  | { readonly step: 'unmount'; readonly mountpoint: string; readonly command: Words }
  | { readonly step: 'remount' | 'after'; readonly command: Words }
  /** Waits until the paths are readable. */
  | { readonly step: 'probe'; readonly command: null }

export type RecoveryPlan =
  | { readonly refused: RecoveryRefusal }
  | { readonly refused: null; readonly path: string; readonly mountpoint: string; readonly steps: readonly Step[] }

/** What a recovery would do, or the first reason against it. */
export function planRecovery(facts: RecoveryFacts): RecoveryPlan {
  const { dryRun, enabled, unmount, root, paths, recoveries, maxPerHour, unmounted, now } = facts
  if ((!enabled && !dryRun) || !unmount) return { refused: 'disabled' }
  const stale = paths.find(({ state }) => state === 'stale')
  if (!stale && unmounted !== null) {
    if (isTooOften(recoveries, maxPerHour, now)) return { refused: 'rate-limited' }
    return { refused: null, path: unmounted, mountpoint: unmounted, steps: again(facts) }
  }
  if (!stale) return { refused: 'not-stale' }
  if (root === null || !isUnder(stale.path, root)) return { refused: 'outside-root' }
  const mount = mountOf(stale.path, facts)
  if (!mount) return { refused: 'not-a-mountpoint' }
  if (!isUnder(mount.mountpoint, root)) return { refused: 'outside-root' }
  const quiesced = quiescedFor(mount.mountpoint, facts)
  if (quiesced === 'busy') return { refused: 'busy' }
  const isStartedOften = quiesced.some(({ starts }) => isTooOften(starts, mostStarts, now))
  if (isStartedOften || isTooOften(recoveries, maxPerHour, now)) return { refused: 'rate-limited' }
  return { refused: null, path: stale.path, mountpoint: mount.mountpoint, steps: stepsOf(mount, quiesced, facts) }
}

function mountOf(path: string, { exact, mountpoints }: RecoveryFacts) {
  const holding = mountpoints.filter(({ mountpoint }) => mountpoint === path || (!exact && isUnder(path, mountpoint)))
  // The innermost; of several on one place, the uppermost, which is listed last.
  return holding.reduce<(typeof holding)[number] | null>(
    (one, other) => (one === null || other.mountpoint.length >= one.mountpoint.length ? other : one),
    null,
  )
}

/** The workers to stop before the mount goes: none unless running work uses it; `busy` when that would disturb healthy work. */
function quiescedFor(mountpoint: string, { running, workers }: RecoveryFacts): 'busy' | readonly WorkerSeen[] {
  if (running === null) return 'busy'
  const within = (path: string) => path === mountpoint || isUnder(path, mountpoint)
  const affected = running.filter(({ path }) => within(path))
  if (affected.some(({ state }) => state === 'readable')) return 'busy'
  if (affected.length === 0) return []
  // Stopping the worker stops all of its work.
  if (running.some(({ path, state }) => !within(path) && state === 'readable')) return 'busy'
  const stopped = workers.filter(({ active, stop }) => active !== false && stop !== null)
  return stopped.every(({ free }) => free) ? stopped : 'busy'
}

/** What follows when the dead mount is gone. */
function again({ remount, after }: Pick<RecoveryFacts, 'remount' | 'after'>): readonly Step[] {
  return [
    ...(remount === null ? [] : [{ step: 'remount' as const, command: remount }]),
    { step: 'probe', command: null },
    ...after.map((words) => ({ step: 'after' as const, command: words })),
  ]
}

function stepsOf(
  { mountpoint, type }: { mountpoint: string; type: string },
  quiesced: readonly WorkerSeen[],
  { remount, after }: RecoveryFacts,
): readonly Step[] {
  const fuse = type === 'fuse' || type.startsWith('fuse.')
  const command: Words = fuse ? ['fusermount3', '-u', '--', mountpoint] : ['umount', '--', mountpoint]
  return [
    ...quiesced.flatMap(({ name, stop }) =>
      stop === null ? [] : [{ step: 'quiesce' as const, worker: name, command: stop }],
    ),
    { step: 'unmount', mountpoint, command },
    ...again({ remount, after }),
    ...quiesced.map(({ name, start }) => ({ step: 'start' as const, worker: name, command: start })),
  ]
}
