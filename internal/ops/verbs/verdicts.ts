import { z } from 'zod'
import { parseDuration } from '../../config/config.ts'
import type { Explanation, PoolStatus } from '../../engine/engine.ts'
import { type At, type Closed, isClosed, Refusal, remedyFor } from '../../pool/pool.ts'
import { poolNamed } from '../find.ts'
import { typed } from '../hint.ts'
import { dialectFor } from '../names.ts'
import { type ForecastShape, forecastShape, maybeInstant } from '../present.ts'
import { type Call, known, verb } from '../verb.ts'

/** Who would serve now, and for each member whether and why not. */
interface ExplainShape {
  pool: string
  model: string | null
  /** Who would serve; null when nobody can. */
  serves: string | null
  /** How the request would be sent: `active`, `failover`, `probe`, `parked`, `degraded`. */
  role: string | null
  why: string
  retryAt: string | null
  members: ExplainedMember[]
}

interface ExplainedMember {
  name: string
  serves: boolean
  why: string
  reason: string | null
  until: string | null
  /** What a person types to mend it; null when it waits for nobody. */
  command: string | null
}

/** Whether work that needs the pool should start now. */
export interface CheckShape {
  pool: string
  verdict: 'can-serve' | 'runs-dry' | 'cooling' | 'unreachable' | 'needs-person'
  /** When it runs dry, when the verdict is `runs-dry`. */
  dryAt: string | null
  /** The host that is down, when the verdict is `unreachable`, and since when. */
  host: string | null
  since: string | null
  /** Whether a daemon runs: without one agents get connection refused, whatever the verdict. */
  running: boolean
  /** Who would serve, or who recovers first. */
  member: string | null
  retryAt: string | null
  /** Members that wait for a person, and what to type. */
  people: { member: string; state: Closed['state']; reason: string; command: string }[]
}

/** What limits of a model are known by in that pool: the family of what a client asks for, such as `opus` of `claude-opus-4-5`. */
function limitedAs({ record }: PoolStatus, model: string): string {
  return dialectFor(record).model(`/v1/models/${model}:generateContent`, { model }) ?? model
}

const poolExplain = verb({
  method: 'GET',
  path: '/v1/pools/:name/explain',
  args: z.strictObject({ name: known, model: known.optional() }),
  async run(call, { name, model }): Promise<ExplainShape> {
    const pool = poolNamed(call.engine, name)
    const { decision, why, members } = call.engine.explain(name, model === undefined ? null : limitedAs(pool, model))
    const serves = decision.kind === 'lease' ? decision.lease.member : null
    const others = new Map(members.map((other) => [other.member, other]))
    return {
      pool: name,
      model: model ?? null,
      serves,
      role: decision.kind === 'lease' ? decision.lease.role : null,
      why,
      retryAt: maybeInstant(retryAt(decision, pool)),
      members: pool.members.map((member) => {
        const command = typed(remedyFor(member.name, member.health))
        if (member.name === serves) return { name: member.name, serves: true, why, reason: null, until: null, command }
        const not = others.get(member.name)
        return {
          name: member.name,
          serves: false,
          why: not?.why ?? 'standby',
          reason: not?.reason ?? null,
          until: maybeInstant(not?.until ?? null),
          command,
        }
      }),
    }
  },
})

const poolCheck = verb({
  method: 'GET',
  path: '/v1/pools/:name/check',
  args: z.strictObject({ name: known, for: known.optional() }),
  async run(call, { name, for: span }): Promise<CheckShape> {
    const spanMs = span === undefined ? 0 : parseDuration(span)
    if (spanMs === null) throw new Refusal('invalid', `${span} is no length of time`, 'such as 90s, 5m or 1h30m')
    if (span !== undefined) await call.engine.recall()
    const pool = poolNamed(call.engine, name)
    const { decision } = call.engine.explain(name, null)
    const found = { pool: name, running: call.startedAt !== null, ...verdict(call, pool, decision) }
    const isAsked = span !== undefined && found.verdict === 'can-serve'
    return isAsked ? { ...found, ...drought(pool, call.clock.now() + spanMs) } : found
  },
})

/** What there is to say of a pool that serves now and runs dry before `end`. */
function drought({ forecast }: PoolStatus, end: At): Partial<CheckShape> {
  const { dryAt, reliefAt, reliefMember } = forecast
  if (dryAt === null || dryAt >= end) return {}
  const back = { member: reliefMember, retryAt: maybeInstant(reliefAt) }
  return { ...back, verdict: 'runs-dry', dryAt: maybeInstant(dryAt) }
}

const poolForecast = verb({
  method: 'GET',
  path: '/v1/pools/:name/forecast',
  args: z.strictObject({ name: known }),
  async run(call, { name }): Promise<ForecastShape> {
    await call.engine.recall()
    return forecastShape(poolNamed(call.engine, name))
  },
})

const nothing = { dryAt: null, member: null, retryAt: null, host: null, since: null } as const

function verdict(
  call: Call,
  pool: PoolStatus,
  decision: Explanation['decision'],
): Omit<CheckShape, 'pool' | 'running'> {
  const waiting = people(pool)
  if (decision.kind === 'lease' && decision.lease.role !== 'degraded')
    return { ...nothing, verdict: 'can-serve', member: decision.lease.member, people: waiting }
  const at = retryAt(decision, pool)
  if (at === null) return { ...nothing, verdict: 'needs-person', people: waiting }
  const { unreachable } = pool
  if (decision.kind === 'host-down') {
    const facts = { host: decision.host, since: maybeInstant(unreachable?.since ?? null), retryAt: maybeInstant(at) }
    return { ...nothing, ...facts, verdict: 'unreachable', people: waiting }
  }
  const first = decision.kind === 'exhausted' ? decision.first : null
  return {
    ...nothing,
    verdict: 'cooling',
    member: first,
    retryAt: maybeInstant(Math.max(at, call.clock.now())),
    people: waiting,
  }
}

/** When somebody can serve again: now at the latest when the decision is to serve; null when only a person helps. */
function retryAt(decision: Explanation['decision'], pool: PoolStatus): At | null {
  switch (decision.kind) {
    case 'lease':
      return decision.lease.role === 'degraded' ? pool.retryAt : null
    case 'exhausted':
    case 'host-down':
      return decision.retryAt
    case 'tried-all':
    case 'empty':
      return null
  }
}

function people(pool: PoolStatus): CheckShape['people'] {
  return pool.members.flatMap(({ name, health }): CheckShape['people'] => {
    if (!isClosed(health)) return []
    const { state, reason } = health
    return [{ member: name, state, reason, command: typed(remedyFor(name, health)) }]
  })
}

export const verdictVerbs = { poolExplain, poolCheck, poolForecast }
