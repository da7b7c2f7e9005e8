/** A member as it is at the moment of a scrape; the engine's MemberStatus has this shape. */
export interface MemberView {
  readonly name: string
  readonly health: {
    readonly state: string
    readonly until?: number
    /** What a probe tests. */
    readonly was?: { readonly until: number }
  }
  readonly park: object | null
  /** false: its host is down. */
  readonly reachable?: boolean
  /** What the upstream last said of the member's limits. */
  readonly usage: readonly { readonly window: string; readonly usedPercent: number; readonly resetAt: number | null }[]
}

export interface PoolView {
  readonly name: string
  readonly exhausted: boolean
  /** When it runs dry, and when it is relieved then; null: it does not, or nobody knows. */
  readonly forecast?: { readonly dryAt: number | null; readonly reliefAt: number | null }
  readonly members: readonly MemberView[]
}

/** The connections to one upstream; the proxy's UpstreamLoad has this shape. */
export interface UpstreamView {
  readonly origin: string
  readonly open: number
  readonly waiting: number
  readonly refused: number
}

/** What the guard sees of directories, hot paths and workers; its gauges have this shape. */
export interface GuardView {
  readonly budgets: readonly { readonly name: string; readonly bytes: number }[]
  readonly paths: readonly { readonly name: string; readonly state: string }[]
  readonly workers: readonly { readonly name: string; readonly shouldRun: boolean }[]
  readonly decisions: readonly { readonly worker: string; readonly reason: string; readonly count: number }[]
}

/** All that is measured only when somebody asks. */
export interface View {
  readonly now: number
  readonly pools: readonly PoolView[]
  readonly upstreams: readonly UpstreamView[]
  /** null when it is not known, as with a disk that does not answer. */
  readonly diskFreeBytes: number | null
  /** What is to stay free of it; null until it is known. */
  readonly diskReserveBytes?: number | null
  /** Whether the store takes no writes or cannot be reached. */
  readonly storeAway?: boolean
  /** Whether plain requests are read with node's own parser, past node:http. */
  readonly fastPath: boolean
  /** Absent where nothing is guarded. */
  readonly guard?: GuardView
}

/** Seconds until the member's cooldown or suspicion ends; 0 when it has none or it has passed. */
export function cooldownSeconds({ health }: MemberView, now: number): number {
  const until = health.until ?? health.was?.until ?? now
  return Math.max(0, (until - now) / 1000)
}

/** The states that hold for a member: that of its health, and `parked` and `unreachable` (its host), which are independent of it. */
export function statesOf(member: MemberView): readonly string[] {
  const own = member.park === null ? [member.health.state] : [member.health.state, 'parked']
  return member.reachable === false ? [...own, 'unreachable'] : own
}

/** How much of each limit is used, 1 being all of it; of two limits of one name, the one that is nearer its end. */
export function usedRatios({ usage }: MemberView): ReadonlyMap<string, number> {
  const ratios = new Map<string, number>()
  for (const { window, usedPercent } of usage) ratios.set(window, Math.max(usedPercent / 100, ratios.get(window) ?? 0))
  return ratios
}

/** Seconds until each limit resets, 0 when that has passed; of two limits of one name, the later reset. */
export function resetSeconds({ usage }: MemberView, now: number): ReadonlyMap<string, number> {
  const resets = new Map<string, number>()
  for (const { window, resetAt } of usage) {
    if (resetAt === null) continue
    resets.set(window, Math.max(0, (resetAt - now) / 1000, resets.get(window) ?? 0))
  }
  return resets
}
