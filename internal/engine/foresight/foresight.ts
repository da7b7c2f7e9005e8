import type { Cancel } from '../../clock/clock.ts'
import {
  type At,
  burners,
  type Forecast,
  hoursKeptMs,
  outlookAfter,
  slotMs,
  slotOf,
  slotsKeptMs,
} from '../../pool/pool.ts'
import type { Store } from '../../store/store.ts'
import type { PoolForecast } from '../api/views.ts'
import type { Core } from '../state/context.ts'
import type { LiveCredential, Pool } from '../state/live.ts'
import { Observations, type Watched } from './observations.ts'

/** What samples of limits may take up; beyond it the oldest go. */
const maxBytes = 16 * 1_048_576
const thinnedEveryMs = 3_600_000
/** A forecast that somebody asks for is at most this old, in ms. */
const freshMs = 60_000

/** Over so long are the ends of slots of several replicas spread, in ms. */
const spreadMs = 20_000

type SampleStore = Pick<Store, 'usageSamples' | 'thinSamples' | 'shared'>

/** The entry that remembers that a pool was told to run dry. */
const toldPrefix = 'runs-dry '
/** Without a look ahead for so long, in ms, what was told is no longer believed. */
const staleMs = 3 * slotMs

/**
 * Samples what is asked of members and what their limits say, in slots of 5 min while there is something to sample, keeps the
 * samples, and foresees when a pool runs dry. At rest nothing runs.
 */
export class Foresight {
  readonly #core: Core
  readonly #store: SampleStore
  readonly #observations: Observations
  /** Of whom something was heard in this slot. */
  #heard = new Set<LiveCredential>()
  #cancel: Cancel | null = null
  #thinnedAt = 0
  #spares = false
  #isOver = false
  #recalled: Promise<void> | null = null
  readonly #writer: string
  /** Samples of other processes that are part of what is known already. */
  #taken = new Set<string>()

  constructor(core: Core, store: SampleStore) {
    this.#core = core
    this.#store = store
    this.#observations = new Observations(core)
    this.#writer = store.shared?.origin ?? ''
  }

  /** Something was counted or heard of the credential. */
  heard(credential: LiveCredential): void {
    this.#heard.add(credential)
    this.#arm()
  }

  /** While the disk is short, no samples are written. */
  spare(isShort: boolean): void {
    this.#spares = isShort
  }

  /** Resolves when what earlier processes have sampled is known again; looks at it once. */
  recall(): Promise<void> {
    this.#recalled ??= this.#recall()
    return this.#recalled
  }

  /** Takes up which pools people were told about. */
  load(meta: Readonly<Record<string, string>>): void {
    for (const name of Object.keys(meta))
      if (name.startsWith(toldPrefix)) this.#observations.of(name.slice(toldPrefix.length)).isTold = true
  }

  /** What was last heard of each credential's limits, before everything else. */
  async restore(): Promise<void> {
    for (const { credentialId, windows } of await this.#store.usageSamples({ latest: true })) {
      const credential = this.#core.registry.byId.get(credentialId)
      if (credential) credential.meter.windows = windows
    }
  }

  /** The forecast of the pool as it is told. */
  forecast(pool: Pool): PoolForecast {
    const now = this.#core.clock.now()
    const watched = this.#observations.of(pool.name)
    if (watched.fresh === null || now - watched.fresh.at >= freshMs)
      watched.fresh = { at: now, forecast: this.#observations.foresee(pool, now) }
    const told = watched.outlook?.forecast
    const { at, forecast: fresh } = watched.fresh
    const isToldStill = told !== undefined && told.state !== 'unknown' && now - watched.lookedAt < staleMs
    const current = isToldStill && told.state !== fresh.state ? told : fresh
    return { ...current, at, keys: burners(watched.shares) }
  }

  stop(): void {
    this.#isOver = true
    this.#cancel?.()
    this.#cancel = null
    if (this.#heard.size > 0) this.#sample(slotOf(this.#core.clock.now()))
  }

  #arm(): void {
    if (this.#cancel || this.#isOver) return
    const now = this.#core.clock.now()
    const wait = slotOf(now) + slotMs - now + this.#spread()
    this.#cancel = this.#core.clock.after(wait, () => void this.#tick())
  }

  async #tick(): Promise<void> {
    this.#cancel = null
    await this.recall()
    if (this.#isOver) return
    const now = this.#core.clock.now()
    const at = slotOf(now) - slotMs
    this.#sample(at)
    await this.#takeOthers(at)
    if (this.#isOver) return
    let isDry = false
    for (const [name, watched] of this.#observations.pools) {
      const pool = this.#core.registry.pools.get(name)
      if (!pool) this.#forget(name, watched)
      else isDry = this.#look(pool, watched, now) || isDry
    }
    if (isDry || this.#heard.size > 0) this.#arm()
    if (now - this.#thinnedAt >= thinnedEveryMs) await this.#thin(now)
  }

  /** Ends the slot: what was heard in it becomes a row for each credential, and part of what is known. */
  #sample(at: At): void {
    const heard = this.#heard
    this.#heard = new Set()
    for (const credential of heard) {
      const work = credential.tally.take()
      const blank = [...credential.seats].filter(({ pool }) => pool.exhausted !== null).map(({ pool }) => pool.name)
      const dry = blank.map((pool) => ({ pool, key: null, requests: 0, percent: 0, isDry: true }))
      const { windows } = credential.meter
      const about = { credentialId: credential.record.id, at, writer: this.#writer }
      const sample = { ...about, windows, work: [...work, ...dry] }
      this.#observations.take(credential, sample)
      if (!this.#spares) this.#core.journal.record([{ put: 'usage-sample', row: sample }], [])
    }
  }

  /** Replicas that share a store end their slots one after the other, so that one tells and the others hear of it. */
  #spread(): number {
    return this.#store.shared ? spreadMs * (0.1 + this.#core.random()) : 0
  }

  /** Takes up what other processes have sampled lately. */
  async #takeOthers(at: At): Promise<void> {
    if (!this.#store.shared) return
    const known = this.#taken
    this.#taken = new Set()
    const samples = await this.#store.usageSamples({ after: at - 3 * slotMs }).catch(() => [])
    for (const sample of samples) {
      const credential = this.#core.registry.byId.get(sample.credentialId)
      const name = `${sample.writer} ${sample.credentialId} ${sample.at}`
      if (sample.writer === this.#writer || !credential) continue
      this.#taken.add(name)
      if (!known.has(name)) this.#observations.take(credential, sample)
    }
  }

  /** Looks ahead at the end of a slot; returns whether the pool is told to run dry. */
  #look(pool: Pool, watched: Watched, now: At): boolean {
    watched.demand.forget(now)
    const fresh = this.#observations.foresee(pool, now)
    watched.fresh = { at: now, forecast: fresh }
    watched.outlook = outlookAfter(watched.outlook, fresh, now)
    watched.lookedAt = now
    const { forecast: told } = watched.outlook
    const isDry = told.state === 'dry'
    if (isDry && !watched.isTold && pool.exhausted === null && (told.dryAt ?? 0) > now) {
      watched.isTold = true
      const { dryAt, reliefAt, reliefMember } = told
      const [first = null] = burners(watched.shares)
      const detail = { dryAt: dryAt ?? now, reliefAt, reliefMember, burner: first }
      const note = { put: 'meta', name: `${toldPrefix}${pool.name}`, value: String(now) } as const
      this.#core.signals.record([note], { kind: 'pool_runs_dry', pool: pool.name, to: reliefMember, detail })
    } else if (!isDry && watched.isTold) this.#tellEnd(pool.name, watched, told.state)
    return isDry
  }

  #forget(name: string, watched: Watched): void {
    this.#observations.pools.delete(name)
    if (watched.isTold) this.#tellEnd(name, watched, 'unknown')
  }

  #tellEnd(pool: string, watched: Watched, state: Forecast['state']): void {
    watched.isTold = false
    const note = { drop: 'meta', name: `${toldPrefix}${pool}` } as const
    this.#core.signals.record([note], { kind: 'pool_lasts', pool, detail: { isKnown: state === 'enough' } })
  }

  async #recall(): Promise<void> {
    const after = this.#core.clock.now() - hoursKeptMs
    try {
      for (const sample of await this.#store.usageSamples({ after })) {
        const credential = this.#core.registry.byId.get(sample.credentialId)
        if (credential) this.#observations.take(credential, sample)
        if (this.#store.shared) this.#taken.add(`${sample.writer} ${sample.credentialId} ${sample.at}`)
      }
    } catch (error) {
      this.#core.log.warn({ error }, 'samples of limits were not read; forecasts begin anew')
    }
    for (const watched of this.#observations.pools.values()) watched.fresh = null
  }

  async #thin(now: At): Promise<void> {
    this.#thinnedAt = now
    try {
      await this.#store.thinSamples(now, { finestMs: slotsKeptMs, maxAgeMs: hoursKeptMs, maxBytes })
    } catch (error) {
      this.#core.log.warn({ error }, 'old samples of limits were not removed')
    }
  }
}
