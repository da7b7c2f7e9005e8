import type { Clock } from '../../clock/clock.ts'
import type { BreakerShape, EvidenceShape, FrameShape } from '../../ops/ops.ts'
import { fullAt, multiplier } from '../decide/growth.ts'
import { problemOf } from '../decide/path.ts'
import type { FileSeen, Totals } from '../isolated/tally.ts'
import { codeOf, type SystemCalls } from '../system-calls.ts'

/** How far the looking is. */
export interface Progress {
  readonly path: string
  readonly files: number
  readonly bytes: number
}

interface Asked {
  /** Absolute; empty: those of the budgets. */
  readonly paths: readonly string[]
  readonly sinceMs: number
  readonly frame: FrameShape
  /** How long to look at most; what was seen until then is told. */
  readonly forMs: number
  readonly progress?: (progress: Progress) => void
}

interface Around {
  readonly clock: Clock
  readonly system: Pick<SystemCalls, 'walk' | 'space'>
  reserveOf(totalBytes: number): number
}

const sliceMs = 500
const samples = 5
const hourMs = 3_600_000

/** What grows, how fast, and since when: names and sizes. Reads directories and nothing of the files; writes nothing. */
export async function gatherEvidence(asked: Asked, { clock, system, reserveOf }: Around): Promise<EvidenceShape> {
  const now = clock.now()
  const { frame, sinceMs } = asked
  const targets =
    asked.paths.length === 0
      ? frame.paths
      : asked.paths.map((path) => frame.paths.find((each) => each.path === path) ?? { path, match: '**', pool: null })
  const breaker = breakerOf(frame, targets)
  const errorAt = breaker?.firstError ? Date.parse(breaker.firstError.at) : null
  const until = clock.mono() + asked.forMs
  const paths: EvidenceShape['paths'] = []
  for (const { path, match } of targets) {
    const marks = { now, windowMs: sinceMs, errorAt, keepFirst: samples, oldest: 0 }
    let totals: Totals | null = null
    let problem: string | null = null
    let unread = 0
    try {
      for (let anew = true; ; anew = false) {
        const seen = await system.walk({ key: `evidence ${path}`, path, match, marks, sliceMs, anew })
        totals = seen.totals
        unread = seen.unread
        asked.progress?.({ path, files: totals.files, bytes: totals.bytes })
        if (seen.done) break
        if (clock.mono() > until) {
          problem = 'too large to be seen whole in time; the figures are of a part'
          break
        }
      }
    } catch (error) {
      problem = problemOf(codeOf(error))
    }
    paths.push(pathShape(path, totals, { sinceMs, unread, problem }))
  }
  const first = targets[0]?.path
  const space = first === undefined ? null : await system.space(first).catch(() => null)
  const growth = paths.reduce((sum, { bytesPerHour }) => sum + bytesPerHour, 0)
  return {
    at: iso(now),
    since: iso(now - sinceMs),
    paths,
    disk: {
      freeBytes: space?.freeBytes ?? null,
      reserveBytes: space && reserveOf(space.totalBytes),
      fullAt: isoOr(space && fullAt(space.freeBytes, growth, now)),
    },
    breaker,
  }
}

/** The breaker that matters: of the pools that write there, else of any, the one whose trouble is the oldest. */
function breakerOf(frame: FrameShape, targets: FrameShape['paths']): BreakerShape | null {
  const own = new Set(targets.map(({ pool }) => pool))
  const near = frame.breakers.filter(({ pool }) => own.has(pool))
  const among = near.some(({ firstError }) => firstError) ? near : [...near, ...frame.breakers]
  const troubled = among.filter(({ firstError }) => firstError !== null)
  const oldest = troubled.sort((one, other) => (one.since ?? '').localeCompare(other.since ?? ''))[0]
  return oldest ?? near[0] ?? null
}

function pathShape(
  path: string,
  totals: Totals | null,
  { sinceMs, unread, problem }: { sinceMs: number; unread: number; problem: string | null },
): EvidenceShape['paths'][number] {
  const window = totals?.window ?? { files: 0, bytes: 0 }
  const named = ({ path: file, bytes, at }: FileSeen) => ({ path: `${path}/${file}`, bytes, at: iso(at) })
  return {
    path,
    bytes: totals?.bytes ?? 0,
    files: totals?.files ?? 0,
    unread,
    bytesPerHour: Math.round((window.bytes * hourMs) / sinceMs),
    filesPerHour: Math.round((window.files * hourMs) / sinceMs),
    newest: isoOr(totals?.newestAt ?? null),
    oldest: isoOr(totals?.oldestAt ?? null),
    largest: (totals?.largest ?? []).map(({ path: file, bytes }) => ({ path: `${path}/${file}`, bytes })),
    multiplier: totals && multiplier(totals),
    sample: (totals?.first ?? []).slice(0, samples).map(named),
    newestFiles: (totals?.newest ?? []).map(named),
    problem,
  }
}

function iso(at: number): string {
  return new Date(at).toISOString()
}

function isoOr(at: number | null): string | null {
  return at === null ? null : iso(at)
}
