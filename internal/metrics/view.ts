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
}

export interface PoolView {
  readonly name: string
  readonly exhausted: boolean
  readonly members: readonly MemberView[]
}

/** All that is measured only when somebody asks. */
export interface View {
  readonly now: number
  readonly pools: readonly PoolView[]
  /** null when it is not known, as with a disk that does not answer. */
  readonly diskFreeBytes: number | null
}

/** Seconds until the member's cooldown or suspicion ends; 0 when it has none or it has passed. */
export function cooldownSeconds({ health }: MemberView, now: number): number {
  const until = health.until ?? health.was?.until ?? now
  return Math.max(0, (until - now) / 1000)
}

/** The states that hold for a member: that of its health, and `parked`, which is independent of it. */
export function statesOf(member: MemberView): readonly string[] {
  return member.park === null ? [member.health.state] : [member.health.state, 'parked']
}
