import type { StdioOptions } from 'node:child_process'
import type { Clock } from '../../clock/clock.ts'
import type { AdmitShape, CheckShape, ClaimShape, Ops } from '../../ops/ops.ts'
import type { CommandLine } from './child.ts'
import type { Backoff, Ended, FinishReason, HaltReason, JobType, Trouble } from './policy.ts'
import type { SeatOps } from './seat.ts'
import type { onStopSignals } from './stop.ts'

export interface RunRequest {
  readonly pool: string
  /** The name under which the job is remembered between runs; null remembers nothing. */
  readonly job: string | null
  readonly type: JobType
  /** Budgets and hot paths that it needs, beside those of its pool and its folder. */
  readonly budgets: readonly string[]
  readonly hotPaths: readonly string[]
  /** Attempts after the first. */
  readonly retries: number
  /** Whether it waits for a pool that comes back by itself, before the first attempt and before each retry. */
  readonly waitReset: boolean
  readonly backoff: Backoff
  readonly command: CommandLine
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Whether a person at a terminal can interrupt the job directly. */
  readonly terminal: boolean
}

export interface RunDeps {
  readonly ops: SeatOps & Pick<Ops, 'poolCheck' | 'status' | 'env' | 'guardAdmit'>
  readonly clock: Clock
  /** From 0 up to, but not including, 1. */
  random(): number
  /** Who runs jobs here, as the holder of a claim is shown. */
  readonly holder: string
  /** What the child gets as its streams. */
  readonly stdio: StdioOptions
  readonly onStop: typeof onStopSignals
  tell(note: RunNote): void
}

/** What is told while a run goes on. */
export type RunNote =
  | { readonly kind: 'retrying'; readonly ended: Ended; readonly waitMs: number; readonly retriesLeft: number }
  | { readonly kind: 'waiting'; readonly check: CheckShape }
  | { readonly kind: 'unnoted'; readonly error: unknown }

/** How a run ended; `attempts` of 0 says that nothing was started. */
export type Ending =
  | { readonly kind: 'exited'; readonly why: FinishReason; readonly code: number; readonly attempts: number }
  | { readonly kind: 'halted'; readonly why: HaltReason; readonly check: CheckShape; readonly attempts: number }
  | { readonly kind: 'cooled'; readonly why: Trouble; readonly waitMs: number; readonly attempts: number }
  | { readonly kind: 'refused'; readonly claim: ClaimShape }
  /** A directory, a path or the trial of a half-open pool stands against it. */
  | { readonly kind: 'not-admitted'; readonly why: Exclude<AdmitShape, { verdict: 'go' }> }
  | { readonly kind: 'no-daemon' }
