import type { StdioOptions } from 'node:child_process'
import type { Clock } from '../../clock/clock.ts'
import { type AdmitShape, type CheckShape, type ClaimShape, type Ops, Refusal } from '../../ops/ops.ts'
import { type CommandLine, exitCodeOf, startChild } from './child.ts'
import {
  admit,
  type Backoff,
  type Decision,
  decide,
  type Ended,
  type Final,
  type FinishReason,
  type HaltReason,
  haltReason,
  type JobType,
  type PoolState,
  type Tally,
  type Trouble,
} from './policy.ts'
import { folderTrouble, proxyTrouble } from './preconditions.ts'
import { JobSeat, namelessSeat, type Outlook, type Seat, type SeatOps } from './seat.ts'
import { type onStopSignals, Stop } from './stop.ts'

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

/**
 * Runs the command under the pool's breaker. Nothing is started, and nothing written, when the pool cannot serve, the job
 * has to wait or somebody else runs it. Rejects with a Refusal for a pool that does not exist, a key that is not kept and
 * the like, and with whatever `ops` rejects with when nobody answers.
 */
export async function runJob(request: RunRequest, parts: RunDeps): Promise<Ending> {
  const check = await parts.ops.poolCheck({ name: request.pool })
  const why = haltReason(check, request.type)
  if (why !== null) return { kind: 'halted', why, check, attempts: 0 }
  const admission = await admittedBy(request, parts)
  if (admission.verdict !== 'go') return { kind: 'not-admitted', why: admission }
  const stop = new Stop(parts.onStop, request.terminal)
  try {
    const seat = await seatOf(request.job, parts)
    return seat.kind === 'refused' ? seat : await new Run(request, parts, { seat: seat.seat, stop }).go()
  } finally {
    stop.end()
  }
}

/** What the guard says of the start; a job that does not depend on the pool needs no trial of it. */
async function admittedBy({ pool, budgets, hotPaths, cwd, type }: RunRequest, { ops }: RunDeps): Promise<AdmitShape> {
  return ops.guardAdmit({
    pool,
    budgets: [...budgets],
    hotPaths: [...hotPaths],
    folder: cwd,
    trial: type === 'agent',
  })
}

async function seatOf(
  job: string | null,
  parts: RunDeps,
): Promise<{ kind: 'seat'; seat: Seat } | Extract<Ending, { kind: 'refused' }>> {
  if (job === null) return { kind: 'seat', seat: namelessSeat() }
  const claim = await parts.ops.jobClaim({ name: job, holder: parts.holder })
  if (claim.lease === null) return { kind: 'refused', claim }
  const unnoted = (error: unknown) => parts.tell({ kind: 'unnoted', error })
  return {
    kind: 'seat',
    seat: new JobSeat({ ...claim, lease: claim.lease }, { ops: parts.ops, clock: parts.clock, unnoted }),
  }
}

/** Where the proxy is and what points the child at it. */
interface Aim {
  readonly origin: string
  /** undefined: must not be set. */
  readonly variables: Readonly<Record<string, string | undefined>>
}

/** One run of a job that may start. */
class Run {
  readonly #request: RunRequest
  readonly #parts: RunDeps
  readonly #seat: Seat
  readonly #stop: Stop
  #attempts = 0
  #tally: Tally

  constructor(request: RunRequest, parts: RunDeps, { seat, stop }: { seat: Seat; stop: Stop }) {
    this.#request = request
    this.#parts = parts
    this.#seat = seat
    this.#stop = stop
    this.#tally = seat.tally
  }

  async go(): Promise<Ending> {
    let left: Outlook = { tally: this.#tally, waitMs: 0 }
    try {
      const aim = await this.#aim()
      if (!aim) return { kind: 'no-daemon' }
      const { decision, ended } = await this.#untilDecided(aim)
      left = decision
      return endingOf(decision, { code: exitCodeOf(ended), attempts: this.#attempts })
    } finally {
      await this.#seat.leave(left)
    }
  }

  async #untilDecided(aim: Aim): Promise<{ decision: Final; ended: Ended }> {
    for (;;) {
      const ended = await this.#attempt(aim)
      const decision = await this.#decided(ended)
      if (decision.kind !== 'retry') return { decision, ended }
      this.#tally = decision.tally
      await this.#seat.note(decision)
      this.#parts.tell({ kind: 'retrying', ended, waitMs: decision.waitMs, retriesLeft: this.#retriesLeft })
      const forbidden = await this.#waited(decision.waitMs)
      const { signal } = this.#stop
      if (forbidden) return { decision: forbidden, ended: signal ? { how: 'signal', signal } : ended }
    }
  }

  get #retriesLeft(): number {
    return this.#request.retries + 1 - this.#attempts
  }

  async #aim(): Promise<Aim | null> {
    const { ops } = this.#parts
    const { startedAt, origin } = await ops.status({})
    if (startedAt === null) return null
    const { variables, unset } = await ops.env({ name: this.#request.pool })
    const absent = Object.fromEntries(unset.map((name) => [name, undefined]))
    return {
      origin,
      variables: { ...absent, ...Object.fromEntries(variables.map(({ name, value }) => [name, value])) },
    }
  }

  async #attempt({ origin, variables }: Aim): Promise<Ended> {
    const { command, cwd, env, type } = this.#request
    const { clock, stdio } = this.#parts
    const trouble = (await folderTrouble(cwd, clock)) ?? (type === 'agent' ? await proxyTrouble(origin, clock) : null)
    if (trouble) return { how: 'infra', trouble }
    if (this.#stop.signal) return { how: 'signal', signal: this.#stop.signal }
    this.#attempts++
    return this.#stop.during(startChild(command, { cwd, env: { ...env, ...variables }, stdio }))
  }

  async #decided(ended: Ended): Promise<Decision> {
    const succeeded = ended.how === 'exit' && ended.code === 0
    return decide({
      ended,
      stopped: this.#stop.signal !== null,
      takenOver: this.#seat.takenOver,
      pool: succeeded ? null : await this.#ask(),
      type: this.#request.type,
      tally: this.#tally,
      retriesLeft: this.#retriesLeft,
      backoff: this.#request.backoff,
      random: this.#parts.random(),
    })
  }

  /** Waits for the next attempt; resolves with what came up meanwhile and forbids it. */
  async #waited(ms: number): Promise<Final | null> {
    const { clock } = this.#parts
    const dueAt = clock.now() + ms
    await this.#stop.wait(ms, clock)
    const finish = { kind: 'finish', tally: this.#tally, waitMs: Math.max(0, dueAt - clock.now()) } as const
    if (this.#stop.signal) return { ...finish, why: 'stopped' }
    if (this.#seat.takenOver) return { ...finish, why: 'taken-over' }
    return admit(await this.#ask(), this.#request.type, this.#tally)
  }

  async #ask(): Promise<PoolState> {
    try {
      return await this.#parts.ops.poolCheck({ name: this.#request.pool })
    } catch (error) {
      // A pool that is gone is the operator's affair; nobody there to ask is trouble that may pass.
      if (error instanceof Refusal) throw error
      return 'silent'
    }
  }
}

function endingOf(decision: Final, { code, attempts }: { code: number; attempts: number }): Ending {
  switch (decision.kind) {
    case 'finish':
      return { kind: 'exited', why: decision.why, code, attempts }
    case 'halt':
      return { kind: 'halted', why: decision.why, check: decision.check, attempts }
    case 'cool':
      return { kind: 'cooled', why: decision.why, waitMs: decision.waitMs, attempts }
  }
}
