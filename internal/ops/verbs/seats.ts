import { z } from 'zod'
import type { MemberStatus } from '../../engine/engine.ts'
import { type Caps, Refusal, type Tuning, untuned } from '../../pool/pool.ts'
import { credentialNamed, memberOf, poolNamed, sameProvider } from '../find.ts'
import { dialectFor, listed } from '../names.ts'
import { instant, maybeInstant, type PoolShape } from '../present.ts'
import { type Call, known, lengthMs, verb } from '../verb.ts'
import { checkUpstream, shown } from './pools.ts'

/** Each tier of a pool has files of its own, and nobody needs many. */
export const highestTier = 9

const poolAdd = verb({
  method: 'POST',
  path: '/v1/pools/:name/members',
  inTurn: true,
  args: z.strictObject({
    name: known,
    member: known,
    /** From 1; at the end when absent. */
    position: z.int().min(1).optional(),
    weight: z.int().min(1).max(1000).default(1),
  }),
  async run(call, { name, member, position, weight }): Promise<PoolShape> {
    const pool = poolNamed(call.engine, name)
    const credential = credentialNamed(call.engine, member)
    sameProvider({ ...pool.record, shape: dialectFor(pool.record).shape }, credential)
    checkUpstream(pool.record, [credential.record])
    if (pool.members.some((seat) => seat.name === member))
      throw new Refusal('conflict', `${member} is in ${name} already`, `spillway pool reorder ${name} moves it`)
    await call.engine.addMember(name, member, { position: position ?? null, weight }, call.actor)
    return shown(call, name)
  },
})

/** Refuses caps of what is no window of a whole plan or key: a cap stops the member, for all models. */
export function checkCaps(caps: Readonly<Record<string, unknown>>): void {
  for (const window of Object.keys(caps)) {
    if (!/^[\w.-]{1,64}$/.test(window))
      throw new Refusal('invalid', `${JSON.stringify(window)} is not the name of a window`, 'example: 7d=60')
    if (/^\d+(?:min|h|d)_/.test(window))
      throw new Refusal(
        'invalid',
        `${window} limits one model, and a cap stops the member as a whole`,
        'example: 7d=60',
      )
  }
}

export const percentage = z.number().min(1).max(100)

function merged(before: Caps, change: Readonly<Record<string, number | null>>): Caps {
  const all = Object.entries({ ...before, ...change })
  return Object.fromEntries(all.flatMap(([window, percent]) => (percent === null ? [] : [[window, percent]])))
}

/** A number, or null to take the setting back. */
const tuned = (most: number) => z.int().min(1).max(most).nullable().optional()

const poolTune = verb({
  method: 'PATCH',
  path: '/v1/pools/:name/members/:member',
  args: z.strictObject({
    name: known,
    member: known,
    weight: tuned(1_000),
    tier: tuned(highestTier),
    maxInFlight: tuned(100_000),
    /** Percent by window; null takes one back, and in the place of all of them all. */
    caps: z.record(z.string(), percentage.nullable()).nullable().optional(),
  }),
  async run(call, { name, member, weight, tier, maxInFlight, caps }): Promise<PoolShape> {
    const before = seat(call, name, member)
    checkCaps(caps ?? {})
    const change: { -readonly [K in keyof Tuning]?: Tuning[K] } = {}
    if (weight !== undefined) change.weight = weight ?? untuned.weight
    if (tier !== undefined) change.tier = tier ?? untuned.tier
    if (maxInFlight !== undefined) change.maxInFlight = maxInFlight
    if (caps !== undefined) change.caps = caps === null ? untuned.caps : merged(before.caps, caps)
    if (Object.keys(change).length === 0)
      throw new Refusal('invalid', 'nothing to tune is named', 'weight, tier, cap or max-inflight')
    await call.engine.tune(name, member, change, call.actor)
    return shown(call, name)
  },
})

const poolReorder = verb({
  method: 'PUT',
  path: '/v1/pools/:name/members',
  inTurn: true,
  args: z.strictObject({ name: known, members: z.array(known) }),
  async run(call, { name, members }): Promise<PoolShape> {
    const pool = poolNamed(call.engine, name)
    const seated = new Set(pool.members.map((seat) => seat.name))
    const wanted = new Set(members)
    for (const member of wanted) if (!seated.has(member)) memberOf(pool, member)
    const left = [...seated].filter((seat) => !wanted.has(seat))
    if (left.length > 0 || members.length !== pool.members.length)
      throw new Refusal(
        'invalid',
        left.length > 0 ? `the new order leaves out ${listed(left)}` : 'the new order names a member twice',
        `name each member of ${name} once; spillway pool drop removes one`,
      )
    await call.engine.reorder(name, members, call.actor)
    return shown(call, name)
  },
})

const poolRotate = verb({
  method: 'POST',
  path: '/v1/pools/:name/rotate',
  args: z.strictObject({ name: known, to: known.optional(), forMs: lengthMs.optional() }),
  async run(call, { name, to, forMs }): Promise<{ pool: string; from: string; to: string; until: string }> {
    const pool = poolNamed(call.engine, name)
    if (to !== undefined) memberOf(pool, to)
    const done = await call.engine.rotate(name, { to: to ?? null, forMs: forMs ?? null }, call.actor)
    return { pool: name, from: done.from, to: done.to, until: instant(done.until) }
  },
})

const poolPark = verb({
  method: 'POST',
  path: '/v1/pools/:name/park',
  args: z.strictObject({ name: known, member: known, forMs: lengthMs.optional() }),
  async run(call, { name, member, forMs }): Promise<{ pool: string; member: string; until: string | null }> {
    seat(call, name, member)
    const park = await call.engine.park(name, member, forMs ?? null, call.actor)
    return { pool: name, member, until: maybeInstant(park.until) }
  },
})

/** Whether something changed; false when it was as asked already. */
interface Changed {
  pool: string
  member: string
  changed: boolean
}

const seatArgs = z.strictObject({ name: known, member: known })

function seat(call: Call, name: string, member: string): MemberStatus {
  return memberOf(poolNamed(call.engine, name), member)
}

export const seatVerbs = {
  poolAdd,
  poolTune,
  poolReorder,
  poolRotate,
  poolPark,
  poolDrop: verb({
    method: 'DELETE',
    path: '/v1/pools/:name/members/:member',
    inTurn: true,
    args: seatArgs,
    async run(call, { name, member }): Promise<PoolShape> {
      seat(call, name, member)
      await call.engine.dropMember(name, member, call.actor)
      return shown(call, name)
    },
  }),
  poolUnpark: verb({
    method: 'POST',
    path: '/v1/pools/:name/unpark',
    args: seatArgs,
    async run(call, { name, member }): Promise<Changed> {
      seat(call, name, member)
      return { pool: name, member, changed: await call.engine.unpark(name, member, call.actor) }
    },
  }),
  poolClear: verb({
    method: 'POST',
    path: '/v1/pools/:name/clear',
    args: seatArgs,
    async run(call, { name, member }): Promise<Changed> {
      seat(call, name, member)
      return { pool: name, member, changed: await call.engine.clear(name, member, call.actor) }
    },
  }),
}
