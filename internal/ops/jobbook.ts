import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Clock } from '../clock/clock.ts'
import { type At, Refusal } from '../pool/pool.ts'
import type { Store, Write } from '../store/store.ts'

/** How long a claim holds without being renewed: a runner that was killed blocks its job for that long at most. */
export const leaseMs = 90_000
/** How many jobs are remembered; the longest idle ones give way, those that still have to wait do not. */
const mostJobs = 1_000
/** A job that nobody has run for so long is forgotten. */
const forgetMs = 30 * 86_400_000
/** The rows of the jobs among the store's meta rows. */
const prefix = 'job:'

const shape = z.object({
  failures: z.int().nonnegative(),
  infra: z.int().nonnegative(),
  nextAttemptAt: z.number(),
  lease: z.object({ id: z.string(), holder: z.string(), until: z.number() }).nullable(),
})

/** What is remembered of a job from one run to the next. */
export type JobRecord = z.infer<typeof shape>

/** What a run leaves behind: failures in a row, of the job itself and of what it runs on, and how long the next attempt waits. */
export interface Settlement {
  readonly failures: number
  readonly infra: number
  readonly waitMs: number
  /** The run goes on and keeps its claim. */
  readonly running: boolean
}

/** A claim that was given, or the record that stands against it. */
export type Claim =
  | { readonly ok: true; readonly lease: string; readonly record: JobRecord }
  | { readonly ok: false; readonly why: 'running' | 'waiting'; readonly record: JobRecord }

/** What the jobs are kept with; the last two where replicas share the store. */
interface JobBookDeps {
  readonly store: Store
  readonly clock: Clock
  inTurn?<T>(name: string, run: () => Promise<T>): Promise<T>
  readonly onOthers?: ((hear: (writes: readonly Write[]) => void) => void) | null
}

/**
 * The jobs: who runs each, and when it may next be attempted. Held in memory, as others write them who share the store; a
 * claim is durable before it is given. Renewing it writes nothing where nobody else could give it away.
 */
export class JobBook {
  readonly #store: Store
  readonly #clock: Clock
  readonly #isShared: boolean
  readonly #inTurn: <T>(run: () => Promise<T>) => Promise<T>
  #loading: Promise<Map<string, JobRecord>> | null = null

  constructor({ store, clock, inTurn, onOthers }: JobBookDeps) {
    this.#store = store
    this.#clock = clock
    this.#isShared = onOthers != null
    this.#inTurn = (run) => (inTurn ? inTurn('jobs', run) : run())
    onOthers?.((writes) => this.#hear(writes))
  }

  /** The right to run the job now; writes nothing when it is not given. Rejects with a Refusal when it cannot be kept. */
  claim(name: string, holder: string): Promise<Claim> {
    return this.#inTurn(() => this.#claim(name, holder))
  }

  /** Keeps the claim; false when it has passed to somebody else. */
  renew(name: string, lease: string): Promise<boolean> {
    return this.#inTurn(() => this.#renew(name, lease))
  }

  /** Notes how a run, or an attempt of it, went; a job without failures has no row. False: the claim has passed to somebody else. */
  settle(name: string, lease: string, settlement: Settlement): Promise<boolean> {
    return this.#inTurn(() => this.#settle(name, lease, settlement))
  }

  async #claim(name: string, holder: string): Promise<Claim> {
    const jobs = await this.#jobs()
    const now = this.#clock.now()
    const found = jobs.get(name)
    if (found?.lease && found.lease.until > now) return { ok: false, why: 'running', record: found }
    if (found && found.nextAttemptAt > now) return { ok: false, why: 'waiting', record: found }
    const gone = found ? [] : departing(jobs, now)
    const lease = { id: randomUUID(), holder, until: now + leaseMs }
    const record = { failures: 0, infra: 0, nextAttemptAt: now, ...found, lease }
    // In memory first, so that a second claim that arrives during the write is refused.
    jobs.set(name, record)
    const before = gone.map((other): [string, JobRecord | undefined] => [other, jobs.get(other)])
    for (const other of gone) jobs.delete(other)
    try {
      await this.#write([...gone.map(dropped), kept(name, record)])
    } catch (error) {
      for (const [other, was] of [...before, [name, found] as const]) if (was) jobs.set(other, was)
      if (!found) jobs.delete(name)
      throw error
    }
    return { ok: true, lease: lease.id, record }
  }

  async #renew(name: string, lease: string): Promise<boolean> {
    const jobs = await this.#jobs()
    const record = jobs.get(name)
    if (record?.lease?.id !== lease) return false
    const renewed = { ...record, lease: { ...record.lease, until: this.#clock.now() + leaseMs } }
    jobs.set(name, renewed)
    if (this.#isShared) await this.#write([kept(name, renewed)])
    return true
  }

  async #settle(name: string, lease: string, settlement: Settlement): Promise<boolean> {
    const { failures, infra, waitMs, running } = settlement
    const jobs = await this.#jobs()
    const now = this.#clock.now()
    const held = jobs.get(name)?.lease
    if (held?.id !== lease) return false
    if (!running && failures === 0 && infra === 0) {
      jobs.delete(name)
      await this.#write([dropped(name)])
      return true
    }
    const record = {
      failures,
      infra,
      nextAttemptAt: now + waitMs,
      lease: running ? { ...held, until: now + leaseMs } : null,
    }
    jobs.set(name, record)
    await this.#write([kept(name, record)])
    return true
  }

  #jobs(): Promise<Map<string, JobRecord>> {
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = null
      throw error
    })
    return this.#loading
  }

  /** Claims of a previous process hold anew from now on, where their runners have had nobody else to renew them with. */
  async #load(): Promise<Map<string, JobRecord>> {
    const anew = this.#isShared ? {} : { until: this.#clock.now() + leaseMs }
    const { meta } = await this.#store.load()
    const jobs = new Map<string, JobRecord>()
    for (const [name, value] of Object.entries(meta)) {
      const record = name.startsWith(prefix) ? parsed(value) : null
      if (record)
        jobs.set(name.slice(prefix.length), { ...record, lease: record.lease && { ...record.lease, ...anew } })
    }
    return jobs
  }

  /** What other replicas have kept or forgotten; a load that is under way comes before it. */
  #hear(writes: readonly Write[]): void {
    this.#loading?.then(
      (jobs) => {
        for (const write of writes) hearOf(jobs, write)
      },
      () => {},
    )
  }

  async #write(writes: readonly Write[]): Promise<void> {
    try {
      await this.#store.commit({ writes, audit: [] })
    } catch (error) {
      throw new Refusal(
        'try-later',
        `the store does not keep the job (${error instanceof Error ? error.message : error})`,
      )
    }
  }
}

function hearOf(jobs: Map<string, JobRecord>, write: Write): void {
  const isMeta = 'put' in write ? write.put === 'meta' : write.drop === 'meta'
  if (!isMeta || !('name' in write) || !write.name.startsWith(prefix)) return
  const name = write.name.slice(prefix.length)
  const record = 'value' in write ? parsed(write.value) : null
  if (record) jobs.set(name, record)
  else jobs.delete(name)
}

/** The jobs that leave before another one comes: the forgotten, and when it is still crowded the longest idle. */
function departing(jobs: ReadonlyMap<string, JobRecord>, now: At): string[] {
  const idle = [...jobs]
    .filter(([, { lease, nextAttemptAt }]) => (lease === null || lease.until <= now) && nextAttemptAt <= now)
    .sort(([, a], [, b]) => a.nextAttemptAt - b.nextAttemptAt)
  const crowd = jobs.size + 1 - mostJobs
  if (crowd > idle.length)
    throw new Refusal(
      'conflict',
      `${mostJobs} jobs are running or waiting, and no more are kept`,
      'use fewer --job names',
    )
  return idle.filter(([, { nextAttemptAt }], at) => at < crowd || nextAttemptAt <= now - forgetMs).map(([name]) => name)
}

function parsed(value: string): JobRecord | null {
  try {
    return shape.parse(JSON.parse(value))
  } catch {
    // A row that cannot be read protects nothing; the next claim writes over it.
    return null
  }
}

function kept(name: string, record: JobRecord): Write {
  return { put: 'meta', name: prefix + name, value: JSON.stringify(record) }
}

function dropped(name: string): Write {
  return { drop: 'meta', name: prefix + name }
}
