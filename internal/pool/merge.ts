import { type Closed, type Cooling, type Health, isClosed, type Suspect } from './member.ts'
import type { At, ModelFamily } from './outcome.ts'

/** What keeps a gate shut, apart from a probe that is under way. */
export type Trouble = Cooling | Suspect | Closed

/**
 * What several observers know together of one gate: two instants up to which it has been cleared, and the troubles since
 * then. Joining is commutative, associative and idempotent, so that the order in which findings arrive decides nothing.
 */
export interface Findings {
  /** Cooldowns and suspicions that began by then are over. */
  readonly clearedAt: At
  /** What a person has to end is over, too, if it began by then; never after `clearedAt`. */
  readonly openedAt: At
  /** The gravest first; none of them began before another one that is at least as grave. */
  readonly troubles: readonly Trouble[]
}

/** What is known of a gate that nothing has happened to. */
export const noFindings: Findings = { clearedAt: 0, openedAt: 0, troubles: [] }

/** All that both know: the later clearances, and what neither has cleared. */
export function joined(one: Findings, other: Findings): Findings {
  const clearedAt = Math.max(one.clearedAt, other.clearedAt)
  const openedAt = Math.max(one.openedAt, other.openedAt)
  const troubles = [...one.troubles, ...other.troubles].filter(
    (trouble) => trouble.since > (isClosed(trouble) ? openedAt : clearedAt),
  )
  return { clearedAt, openedAt, troubles: gravest(troubles) }
}

/** What is known once the observer that knew `known` sees the gate in this health. */
export function observed(known: Findings, health: Health): Findings {
  const now = health.state === 'probing' ? health.was : health
  if (now.state === 'healthy') return cleared(known, now.since)
  if (known.troubles.some((trouble) => isSame(trouble, now))) return weakened(known, now)
  // Clocks differ: what is seen after a clearance began after it.
  const floor = isClosed(now) ? known.openedAt : known.clearedAt
  const trouble = now.since > floor ? now : { ...now, since: floor + 1 }
  return weakened({ ...known, troubles: gravest([...known.troubles, trouble]) }, trouble)
}

/** The health that the findings amount to: that of the gravest trouble. */
export function healthOf({ clearedAt, troubles }: Findings): Health {
  return troubles[0] ?? { state: 'healthy', since: clearedAt }
}

/** Whether two findings say the same. */
export function sameFindings(one: Findings, other: Findings): boolean {
  return (
    one.clearedAt === other.clearedAt &&
    one.openedAt === other.openedAt &&
    one.troubles.length === other.troubles.length &&
    one.troubles.every((trouble) => other.troubles.some((its) => isSame(trouble, its)))
  )
}

/** The findings about a credential, of one generation of its secret. */
export interface CredentialFindings {
  readonly generation: number
  readonly own: Findings
  readonly models: ReadonlyMap<ModelFamily, Findings>
}

/** All that both know of a credential: what is known of its newest secret counts, and nothing of older ones. */
export function joinedCredential(one: CredentialFindings, other: CredentialFindings): CredentialFindings {
  if (one.generation !== other.generation) return one.generation > other.generation ? one : other
  const models = new Map(one.models)
  for (const [model, findings] of other.models) models.set(model, joined(models.get(model) ?? noFindings, findings))
  return { generation: one.generation, own: joined(one.own, other.own), models }
}

function cleared(known: Findings, since: At): Findings {
  const latest = (troubles: readonly Trouble[]) => Math.max(0, ...troubles.map((trouble) => trouble.since))
  const closed = known.troubles.filter(isClosed)
  const clearedAt = Math.max(since, known.clearedAt, latest(known.troubles))
  return { clearedAt, openedAt: closed.length > 0 ? clearedAt : known.openedAt, troubles: [] }
}

/** Only the gate's own probe, or a person, makes what is seen less grave than what was known: that is over, then. */
function weakened(known: Findings, seen: Trouble): Findings {
  const graver = known.troubles.filter((trouble) => compare(trouble, seen) > 0)
  if (graver.length === 0) return known
  const after = cleared({ ...known, troubles: graver }, known.clearedAt)
  const since = Math.max(seen.since, after.clearedAt + 1)
  return joined(after, { ...known, troubles: gravest([...known.troubles, { ...seen, since }]) })
}

/** The gravest first, without those that began no later than one that is as grave or graver. */
function gravest(troubles: readonly Trouble[]): readonly Trouble[] {
  const kept: Trouble[] = []
  for (const trouble of [...troubles].sort((one, other) => compare(other, one))) {
    if (kept.every(({ since }) => since < trouble.since)) kept.push(trouble)
  }
  return kept
}

const ranks = { unreadable: 1, 'needs-login': 2, disabled: 3 } as const

/** Positive when `one` is graver; 0 only for two that are the same. */
function compare(one: Trouble, other: Trouble): number {
  const here = gravity(one)
  const there = gravity(other)
  const at = here.findIndex((part, index) => part !== there[index])
  if (at < 0) return 0
  return here[at]! > there[at]! ? 1 : -1
}

/** By what a person must do, then by how long it lasts; the rest only decides between equals. */
function gravity(trouble: Trouble): readonly (number | string)[] {
  const { since, reason } = trouble
  if (isClosed(trouble)) {
    const byOperator = trouble.state === 'disabled' && trouble.by === 'operator'
    return [ranks[trouble.state], byOperator ? 1 : 0, since, reason]
  }
  const cooling = trouble.state === 'cooling'
  return [0, trouble.until, cooling ? 1 : 0, trouble.strikes, cooling ? trouble.probeAt : 0, since, reason]
}

function isSame(one: Trouble, other: Trouble): boolean {
  return compare(one, other) === 0
}
