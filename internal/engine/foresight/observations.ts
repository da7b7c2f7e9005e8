import {
  type At,
  type Burn,
  burnAfter,
  Demand,
  type Forecast,
  type ForecastMember,
  forecast,
  isClosed,
  isLong,
  noShares,
  type Outlook,
  opensAt,
  type Shares,
  type StrategyName,
  sharesAfter,
} from '../../pool/pool.ts'
import type { UsageSample } from '../../store/store.ts'
import type { Core } from '../state/context.ts'
import type { LiveCredential, LiveSeat, Pool } from '../state/live.ts'

/** What is known of a pool's demand. */
export interface Watched {
  readonly demand: Demand
  shares: Shares
  outlook: Outlook | null
  /** When it was last looked ahead at the end of a slot. */
  lookedAt: At
  fresh: { readonly at: At; readonly forecast: Forecast } | null
  /** Whether people were told that it runs dry. */
  isTold: boolean
}

/** What samples have shown: how much is asked of each pool, by whom, and how fast that uses limits. */
export class Observations {
  readonly #core: Core
  readonly #burns = new WeakMap<LiveCredential, Map<string, Burn>>()
  /** By the names of the pools. */
  readonly pools = new Map<string, Watched>()

  constructor(core: Core) {
    this.#core = core
  }

  /** Takes a sample up into what is known. */
  take(credential: LiveCredential, { at, windows, work }: UsageSample): void {
    const burns = this.#burnsOf(credential)
    const requests = work.reduce((sum, each) => sum + each.requests, 0)
    for (const usage of windows) {
      if (!usage.isPartial && isLong(usage.window) && usage.seenAt >= at)
        burns.set(usage.window, burnAfter(burns.get(usage.window), usage, requests))
    }
    for (const name of new Set(work.map(({ pool }) => pool))) {
      const own = work.filter(({ pool }) => pool === name)
      const watched = this.of(name)
      const asked = own.reduce((sum, each) => sum + each.requests, 0)
      watched.demand.add(at, asked)
      if (own.some(({ isDry }) => isDry)) watched.demand.blank(at)
      watched.shares = sharesAfter(watched.shares, own, at)
    }
  }

  /** When the pool runs dry, as it looks now. */
  foresee(pool: Pool, now: At): Forecast {
    const { demand } = this.of(pool.name)
    const members = pool.seats.map((seat) => this.#memberOf(seat, now))
    const active = pool.active?.member ?? pool.seats[0]?.member ?? null
    const strategy = pool.record.strategy as StrategyName
    return forecast({ members, strategy, active, demand, offsetMs: this.#core.settings.zoneMs(now) }, now)
  }

  #memberOf(seat: LiveSeat, now: At): ForecastMember {
    const gates = [seat.owner.gate, ...(seat.domain ? [seat.domain] : [])]
    const opens = Math.max(
      ...gates.map(({ health }) => (isClosed(health) ? Number.POSITIVE_INFINITY : opensAt(health))),
    )
    return {
      name: seat.member,
      tier: seat.tier,
      weight: seat.weight,
      opensAt: opens > now ? opens : null,
      windows: seat.meter.windows,
      burns: this.#burnsOf(seat.owner),
      capOf: (window) => seat.caps[window] ?? null,
    }
  }

  #burnsOf(credential: LiveCredential): Map<string, Burn> {
    const known = this.#burns.get(credential)
    if (known) return known
    const burns = new Map<string, Burn>()
    this.#burns.set(credential, burns)
    return burns
  }

  /** What is known of the pool of that name. */
  of(pool: string): Watched {
    const known = this.pools.get(pool)
    if (known) return known
    const demand = new Demand()
    const watched: Watched = { demand, shares: noShares, outlook: null, lookedAt: 0, fresh: null, isTold: false }
    this.pools.set(pool, watched)
    return watched
  }
}
