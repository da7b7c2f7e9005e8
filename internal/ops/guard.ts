import type { Config } from '../config/config.ts'
import type { Actor } from '../pool/pool.ts'

/** The guard's part of the configuration. */
export type GuardSettings = Config['guard']

/** A directory with a budget, as it was last seen. */
export interface BudgetShape {
  name: string
  path: string
  /** What was seen; of a part only while `complete` is false. */
  bytes: number
  files: number
  oldestAt: string | null
  /** Bytes of the files that were written within the last hour. */
  growthBytesPerHour: number
  over: boolean
  /** Which limits it is over: `maxBytes`, `maxFiles`, `maxAge`. */
  overBy: string[]
  action: 'report' | 'prune'
  pool: string | null
  /** Directories below it that could not be read; what is in them is not counted. */
  unread: number
  complete: boolean
  seenAt: string | null
  /** Why it cannot be looked at; null: it can. */
  problem: string | null
}

export interface HotPathShape {
  name: string
  /** The one of the configuration, or the worst that its command printed. */
  path: string | null
  /** null: not known yet. */
  state: 'readable' | 'stale' | 'hanging' | 'missing' | 'failing' | null
  since: string | null
  lastRecovery: { at: string; result: string; reason: string | null } | null
  /** Whether its sentinel file is there, so that it is recovered by itself; null: not known yet. */
  enabled: boolean | null
  paths: { path: string; state: string }[]
}

export interface WorkerShape {
  name: string
  /** null where it could not be found out. */
  active: boolean | null
  pending: number | null
  running: number | null
  decision: 'started' | 'refused' | null
  reason: string | null
  at: string | null
}

export interface GuardShape {
  budgets: BudgetShape[]
  hotPaths: HotPathShape[]
  workers: WorkerShape[]
}

export interface ProbeShape {
  name: string
  state: NonNullable<HotPathShape['state']>
  paths: { path: string; state: string; ms: number }[]
}

/** What enforcing a budget did, or would do. */
export interface EnforcedShape {
  name: string
  path: string
  action: 'report' | 'prune'
  over: boolean
  overBy: string[]
  bytes: number
  files: number
  pruned: { files: number; bytes: number }
  /** Files that stay because they are the first evidence, open for writing, or changed meanwhile. */
  kept: { first: number; open: number; changed: number }
  dryRun: boolean
  /** false: there is more to look at or to delete; asking again goes on. */
  complete: boolean
  problem: string | null
}

export interface RecoveryShape {
  name: string
  result: 'done' | 'dry-run' | 'refused' | 'failed'
  /** Why it was refused, or the step that failed. */
  reason: string | null
  steps: { step: string; command: string[] | null; result: string; ms: number | null }[]
}

export interface SwitchShape {
  name: string
  what: 'worker' | 'hot path'
  enabled: boolean
  changed: boolean
  /** The sentinel file. */
  path: string
}

interface FileShape {
  path: string
  bytes: number
  at: string
}

export interface EvidenceShape {
  at: string
  since: string
  paths: {
    path: string
    bytes: number
    files: number
    /** Directories below it that could not be read; what is in them is not counted. */
    unread: number
    bytesPerHour: number
    filesPerHour: number
    newest: string | null
    oldest: string | null
    largest: { path: string; bytes: number }[]
    /** Files made since the first error ÷ files made in the same time before it; null without an error, or without files before. */
    multiplier: number | null
    /** The first files since the first error, or within the time that was asked about. */
    sample: FileShape[]
    newestFiles: FileShape[]
    /** Why it could not be looked at; null: it was. */
    problem: string | null
  }[]
  disk: { freeBytes: number | null; reserveBytes: number | null; fullAt: string | null }
  breaker: BreakerShape | null
}

/** The breaker of a pool: `open` when no job should start, `half-open` when one may. */
export interface BreakerShape {
  pool: string
  state: 'closed' | 'half-open' | 'open'
  since: string | null
  firstError: { at: string; reason: string | null; status: number | null } | null
  /** Requests that were refused since then. */
  suppressed: number
}

/** What has to be known to gather evidence. */
export interface FrameShape {
  paths: { path: string; match: string; pool: string | null }[]
  breakers: BreakerShape[]
  /** As configured: bytes, or `auto`. */
  reserveBytes: number | 'auto'
}

/** Whether a job may start, as far as directories, paths and the trial of a half-open pool are concerned. */
export type AdmitShape =
  | { verdict: 'go' }
  | { verdict: 'over-budget'; budget: EnforcedShape }
  | { verdict: 'storage-unreadable'; hotPath: string; path: string; state: string; since: string | null }
  | { verdict: 'half-open'; pool: string; until: string }

/** The guard, as the verbs ask it; it is above the verbs, so the composition root brings the two together. */
export interface Guard {
  status(): Promise<GuardShape>
  probe(name: string): Promise<ProbeShape>
  enforce(name: string | null, how: { dryRun: boolean; actor: Actor }): Promise<EnforcedShape[]>
  recover(name: string, how: { dryRun: boolean; actor: Actor }): Promise<RecoveryShape>
  turn(name: string, on: boolean, actor: Actor): Promise<SwitchShape>
  frame(): Promise<FrameShape>
  evidence(paths: readonly string[], sinceMs: number): Promise<EvidenceShape>
  admit(asks: {
    pool: string
    budgets: readonly string[]
    hotPaths: readonly string[]
    folder: string | null
    /** Whether the job works through the pool, so that it may be its trial. */
    trial: boolean
  }): Promise<AdmitShape>
}
