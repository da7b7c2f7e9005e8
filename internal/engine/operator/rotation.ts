import { type At, availability, type PoolAdvice, Refusal } from '../../pool/pool.ts'
import type { LiveSeat, Pool } from '../state/live.ts'

/**
 * The member that a rotation leaves and the one it goes to. Throws a Refusal that says why when no member serves now, or no
 * other could: a member that has failed is never made to look parked.
 */
export function rotationTarget(
  pool: Pool,
  from: LiveSeat | null,
  wanted: LiveSeat | null,
  now: At,
): { from: LiveSeat; seat: LiveSeat } {
  const { name, seats } = pool
  if (seats.length < 2) {
    const count = seats.length === 0 ? 'no members' : 'one member'
    throw new Refusal('conflict', `${name} has ${count}: there is nobody to rotate to`, {
      verb: 'add-member',
      pool: name,
    })
  }
  if (!from)
    throw new Refusal('conflict', `${name} has nobody who can serve now, so there is nothing to rotate`, explain(name))
  if (wanted === from) throw new Refusal('conflict', `${from.member} is already the one that serves in ${name}`)
  if (wanted) {
    const stands = availability(wanted, now)
    const earlier = seats.find(
      (seat) => seat !== from && seat.tier < wanted.tier && availability(seat, now) === 'ready',
    )
    if (earlier) {
      const what = `${wanted.member} is of tier ${wanted.tier} in ${name}, and ${earlier.member} of tier ${earlier.tier} can serve`
      throw new Refusal('conflict', what, explain(name))
    }
    if (usable.includes(stands)) return { from, seat: wanted }
    const why = wanted.owner.gate.health.state
    throw new Refusal('conflict', `${wanted.member} cannot serve in ${name} now (${why})`, explain(name))
  }
  const others = [...seats.slice(from.index + 1), ...seats.slice(0, from.index)]
  for (const stands of usable) {
    const able = others.filter((other) => availability(other, now) === stands)
    const seat = able.sort((one, other) => one.tier - other.tier)[0]
    if (seat) return { from, seat }
  }
  throw new Refusal('conflict', `nobody else in ${name} can serve now: there is nobody to rotate to`, explain(name))
}

// In this order: a member that an operator parked is taken before one that failed, as everywhere.
const usable: readonly string[] = ['ready', 'elapsed', 'parked']

function explain(pool: string): PoolAdvice {
  return { verb: 'explain', pool }
}
