import type { AdmitShape } from '../../ops/ops.ts'
import { exitCodeOf, startChild } from './child.ts'
import {
  admit,
  type Decision,
  decide,
  type Ended,
  type Final,
  haltReason,
  infraBackoff,
  type PoolState,
  type Tally,
} from './policy.ts'
import { folderTrouble, proxyTrouble } from './preconditions.ts'
import type { Ending, RunDeps, RunRequest } from './request.ts'
import { askPool, ResetWait } from './reset.ts'
import { JobSeat, namelessSeat, type Outlook, type Seat } from './seat.ts'
import { Stop } from './stop.ts'

export type { Ending, RunDeps, RunNote, RunRequest } from './request.ts'

/**
 * Runs the command under the pool's breaker. Nothing is started, and nothing written, when the pool cannot serve, the job
 * has to wait or somebody else runs it. Rejects with a Refusal for a pool that does not exist, a key that is not kept and
 * the like, and with whatever `ops` rejects with when nobody answers.
 */
export async function runJob(request: RunRequest, parts: RunDeps): Promise<Ending> {
  const stop = new Stop(parts.onStop, request.terminal)
  try {
    const forbidden = await forbiddenBy(request, parts, stop)
    if (forbidden) return forbidden
    const seat = await seatOf(request.job, parts)
    return seat.kind === 'refused' ? seat : await new Run(request, parts, { seat: seat.seat, stop }).go()
  } finally {
    stop.end()
  }
}

/** What stands against the start, once a pool that is waited for is back; null when nothing does. */
async function forbiddenBy(request: RunRequest, parts: RunDeps, stop: Stop): Promise<Ending | null> {
  const reset = new ResetWait(request, parts, stop)
  let check: PoolState = await parts.ops.poolCheck({ name: request.pool })
  for (;;) {
    check = await reset.over(check)
    if (stop.signal) return { kind: 'exited', why: 'stopped', code: exitCodeOf(stop.ended), attempts: 0 }
    if (check === 'silent') return { kind: 'cooled', why: 'daemon-silent', waitMs: infraBackoff.firstMs, attempts: 0 }
    const why = haltReason(check, request.type)
    if (why !== null) return { kind: 'halted', why, check, attempts: 0 }
    const admission = await admittedBy(request, parts)
    if (admission.verdict === 'go') return null
    // Whoever tries the pool that is back first tries it for all who wait.
    if (admission.verdict !== 'half-open' || !request.waitReset) return { kind: 'not-admitted', why: admission }
    await reset.trial(admission.until)
    check = await askPool(parts.ops, request.pool)
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
      const heard = this.#stop.signal
      const decision = await this.#decided(ended)
      const forbidden = await this.#reset(decision.kind === 'retry' ? await this.#retrying(decision, ended) : decision)
      if (forbidden) return { decision: forbidden, ended: heard === this.#stop.signal ? ended : this.#stop.ended }
    }
  }

  /** Waits for the retry; resolves with what came up meanwhile and forbids it. */
  async #retrying(decision: Extract<Decision, { kind: 'retry' }>, ended: Ended): Promise<Final | null> {
    this.#tally = decision.tally
    await this.#seat.note(decision)
    this.#parts.tell({ kind: 'retrying', ended, waitMs: decision.waitMs, retriesLeft: this.#retriesLeft })
    return this.#waited(decision.waitMs)
  }

  /** Waits until a pool is back that halts the run and comes back by itself; resolves with what forbids another attempt then. */
  async #reset(forbidden: Final | null): Promise<Final | null> {
    if (forbidden?.kind !== 'halt' || this.#retriesLeft <= 0) return forbidden
    const reset = new ResetWait(this.#request, this.#parts, this.#stop)
    const check = await reset.over(forbidden.check, () => this.#seat.takenOver)
    const finish = { kind: 'finish', tally: this.#tally, waitMs: 0 } as const
    if (this.#stop.signal) return { ...finish, why: 'stopped' }
    if (this.#seat.takenOver) return { ...finish, why: 'taken-over' }
    return admit(check, this.#request.type, this.#tally)
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
      pool: succeeded ? null : await askPool(this.#parts.ops, this.#request.pool),
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
    return admit(await askPool(this.#parts.ops, this.#request.pool), this.#request.type, this.#tally)
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
