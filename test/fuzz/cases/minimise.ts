import { type Case, type Pause, type Request, settled } from './case.ts'

/** Cases that are a little smaller than this one, the boldest first. */
export function smaller(one: Case): Case[] {
  const found: Case[] = []
  for (let at = 0; at < one.requests.length && one.requests.length > 1; at++) found.push(without(one, at))
  if (one.pauses.length > 0) found.push({ ...one, pauses: [] })
  if (one.pauses.length > 1) {
    const half = one.pauses.length >> 1
    found.push({ ...one, pauses: one.pauses.slice(0, half) }, { ...one, pauses: one.pauses.slice(half) })
    if (one.pauses.length <= 6)
      for (const pause of one.pauses) found.push({ ...one, pauses: one.pauses.filter((each) => each !== pause) })
  }
  if (one.slow > 0) found.push({ ...one, slow: 0 })
  if (one.leaves.turns > 0) found.push({ ...one, leaves: { ...one.leaves, turns: 0 } })
  one.requests.forEach((request, at) => {
    if (request.plans.length > 1) found.push(withRequest(one, at, { ...request, plans: request.plans.slice(-1) }))
    const [plan] = request.plans
    if (plan && plan.pieces.length > 1) {
      const together = { ...plan, pieces: [plan.pieces.join('')] }
      found.push(withRequest(one, at, { ...request, plans: [together, ...request.plans.slice(1)] }))
    }
  })
  return found
}

function withRequest(one: Case, at: number, request: Request): Case {
  return { ...one, requests: one.requests.map((each, index) => (index === at ? request : each)) }
}

/** Without a request; what happens behind it moves to the front. */
function without(one: Case, at: number): Case {
  const begin = one.requests.slice(0, at).reduce((sum, { text }) => sum + text.length, 0)
  const { length } = (one.requests[at] as Request).text
  const moved = (place: number) => (place <= begin ? place : Math.max(begin, place - length))
  const fewer = (count: number | undefined) => (count === undefined || count <= at ? count : count - 1)
  const pauses = one.pauses.map(
    (pause): Pause => ({
      at: moved(pause.at),
      ...(pause.turns !== undefined && { turns: pause.turns }),
      ...(pause.answers !== undefined && { answers: fewer(pause.answers) as number }),
      ...(pause.heard !== undefined && { heard: fewer(pause.heard) as number }),
    }),
  )
  const requests = settled(one.requests.filter((_, index) => index !== at))
  return {
    ...one,
    requests,
    pauses: pauses.filter((pause) => pause.at > 0),
    leaves: { ...one.leaves, at: moved(one.leaves.at) },
  }
}
