import { type Case, type Pause, type Request, settled } from './case.ts'
import { bad, wellDone } from './plans.ts'
import type { Random } from './random.ts'
import { chunked, fatal, good, local, type Place, plain, post, upgrade, webSocketKey, withPlans } from './requests.ts'
import { spoilt } from './spoilt.ts'
import { granting } from './websocket-plans.ts'

/** Makes the case of a seed; the same one each time, but for names of pools. */
export type MakeCase = (place: Place) => Omit<Case, 'kind' | 'seed' | 'pool'>

const stays = { how: 'wait', at: Number.POSITIVE_INFINITY, turns: 0 } as const

const usual = { pauses: [] as readonly Pause[], leaves: stays as Case['leaves'], slow: 0, garbled: false }

const lengthOf = (requests: readonly Request[]) => requests.reduce((sum, { text }) => sum + text.length, 0)

/** Places to stop at, most of them near the borders of heads and bodies. */
function cutsOf(random: Random, requests: readonly Request[], most: number): Pause[] {
  const total = lengthOf(requests)
  const places = new Set(random.cuts(total, random.between(1, most)))
  let at = 0
  for (const { text } of requests) {
    const head = text.indexOf('\r\n\r\n') + 4
    for (const place of [at, at + head]) if (random.chance(0.3)) places.add(place + random.between(-4, 4))
    at += text.length
  }
  const inside = [...places].filter((place) => place > 0 && place < total).sort((one, other) => one - other)
  return inside.map((place) => ({
    at: place,
    turns: random.weighted([
      [8, 1],
      [2, 2],
      [1, 5],
    ]),
  }))
}

/** One after the other: each request leaves when the one before has its answer. */
function inTurn(requests: readonly Request[]): Pause[] {
  let at = 0
  return requests.slice(0, -1).map(({ text }, answers) => {
    at += text.length
    return { at, answers: answers + 1 }
  })
}

/** Waits behind heads that announce it for `100 Continue`. */
function continues(requests: readonly Request[]): Pause[] {
  let at = 0
  const pauses: Pause[] = []
  requests.forEach(({ text, expects }, answers) => {
    const head = text.indexOf('\r\n\r\n') + 4
    if (expects && head < text.length) pauses.push({ at: at + head, heard: answers + 1 })
    at += text.length
  })
  return pauses
}

const merged = (...lists: Pause[][]): Pause[] => lists.flat().sort((one, other) => one.at - other.at)

const several = (place: Place, make: (place: Place) => Request, most: number): Request[] =>
  settled(Array.from({ length: place.random.between(1, most) }, () => make(place)))

const whole: MakeCase = (place) => {
  const requests = several(place, good, 3)
  return { ...usual, requests, pauses: merged(inTurn(requests), place.random.chance(0.5) ? continues(requests) : []) }
}

const cut: MakeCase = (place) => {
  const requests = several(place, good, 2)
  return { ...usual, requests, pauses: cutsOf(place.random, requests, 4) }
}

/** Byte by byte: a short one, or the head of a longer one. */
const everyByte: MakeCase = (place) => {
  const { random } = place
  const requests = settled([random.pick([plain, post, chunked, local, good, fatal])(place)])
  const all = Math.min(lengthOf(requests), 420)
  const from = random.chance(0.5) ? 1 : random.between(1, all)
  const pauses = Array.from({ length: Math.max(0, all - from) }, (_, at) => ({ at: from + at, turns: 1 }))
  return { ...usual, requests, pauses }
}

const pipelined: MakeCase = (place) => {
  const requests = several(place, (at) => at.random.pick([plain, post, good])(at), 6)
  return { ...usual, requests, pauses: place.random.chance(0.4) ? cutsOf(place.random, requests, 3) : [] }
}

/** Everything behind everything. */
const mixed: MakeCase = (place) => {
  const { random } = place
  const make = (at: Place) =>
    at.random.weighted([
      [6, good],
      [2, fatal],
      [2, local],
    ])(at)
  const requests = several(place, make, 5)
  return { ...usual, requests, pauses: random.chance(0.5) ? cutsOf(random, requests, 3) : [] }
}

const hangUp: MakeCase = (place) => {
  const { random } = place
  const slow = (at: Place) => {
    const request = random.weighted([
      [6, good],
      [1, fatal],
      [1, local],
    ])(at)
    const { goes, nonce, method } = request
    if (goes.to !== 'upstream' || random.chance(0.6)) return request
    return withPlans(request, [bad(at, { nonce, method, body: goes.body })])
  }
  const requests = several(place, slow, 4)
  const total = lengthOf(requests)
  const at = random.chance(0.3) ? total : random.between(0, total)
  const leaves = {
    how: random.pick(['fin', 'rst', 'half'] as const),
    at,
    turns: random.weighted([
      [4, 0],
      [3, 1],
      [3, random.between(2, 8)],
    ]),
  }
  return { ...usual, requests, leaves, pauses: random.chance(0.6) ? cutsOf(random, requests, 3) : [] }
}

const slowReader: MakeCase = (place) => {
  const { random } = place
  const make = (at: Place) => {
    const request = random.pick([plain, post, good])(at)
    const { goes, nonce, method } = request
    if (goes.to !== 'upstream') return request
    const asked = { nonce, method, body: goes.body }
    return withPlans(request, [random.chance(0.7) ? long(at, asked) : wellDone(at, asked)])
  }
  const requests = several(place, make, 3)
  const leaves = random.chance(0.2)
    ? { how: random.pick(['fin', 'rst'] as const), at: lengthOf(requests), turns: random.between(1, 30) }
    : stays
  return { ...usual, requests, slow: random.between(1, 6), leaves }
}

/** More than the buffers between them take. */
function long({ random }: Place, { nonce, method }: { nonce: string; method: string }) {
  const body = method === 'HEAD' ? '' : `${nonce}:${random.text(random.between(100_000, 400_000))}`
  const head = `HTTP/1.1 200 Said\r\nX-Nonce: ${nonce}\r\nContent-Length: ${body.length}\r\n\r\n`
  const sees = { status: 200, body, may: 'whole' as const }
  return {
    name: 'long',
    when: 'body' as const,
    pieces: [head + body],
    ends: 'keep' as const,
    moves: false,
    sees,
    own: [],
  }
}

const upstreams: MakeCase = (place) => {
  const { random } = place
  const make = (at: Place) => {
    const request = random.pick([plain, post, post, chunked, good])(at)
    const { goes, nonce, method } = request
    return goes.to === 'upstream' ? withPlans(request, [bad(at, { nonce, method, body: goes.body })]) : request
  }
  const requests = several(place, make, 4)
  return { ...usual, requests, pauses: random.chance(0.5) ? inTurn(requests) : [] }
}

const webSockets: MakeCase = (place) => {
  const { random } = place
  const before = random.chance(0.4)
    ? several(
        place,
        (at) =>
          random.weighted([
            [6, good],
            [1, fatal],
          ])(at),
        2,
      )
    : []
  const more = random.chance(0.4) ? random.text(random.between(1, 40)) : ''
  const open = upgrade(place, { plans: [], more })
  const asked = { nonce: open.nonce, method: 'GET', body: '' }
  const answer = random.chance(0.7) ? granting(random, asked, webSocketKey) : refusal(place, asked)
  const behind = random.chance(0.2) ? [plain(place)] : []
  const requests = settled([...before, withPlans(open, [answer]), ...behind])
  const total = lengthOf(requests)
  const leaves = random.chance(0.4)
    ? {
        how: random.pick(['fin', 'rst', 'half'] as const),
        at: random.chance(0.5) ? total : random.between(0, total),
        turns: random.between(0, 10),
      }
    : stays
  return { ...usual, requests, leaves, pauses: random.chance(0.4) ? cutsOf(random, requests, 2) : [] }
}

/** What an upgrade may meet in place of a 101. */
function refusal(place: Place, asked: { nonce: string; method: string; body: string }) {
  const plan = bad({ ...place, mayMove: false }, asked)
  return {
    ...plan,
    when: plan.when === 'never' ? plan.when : ('body' as const),
    own: [502, 504],
    sees: plan.sees && { ...plan.sees, may: 'broken' as const },
  }
}

/** Bytes of a good stream changed, lost, doubled or put in. */
const garbled: MakeCase = (place) => {
  const { random } = place
  const requests = several(
    place,
    (at) =>
      random.weighted([
        [6, good],
        [1, fatal],
      ])(at),
    3,
  )
  const at = random.below(requests.length)
  const changed = requests.map((request, index) => ({
    ...request,
    isSpoilt: true,
    text: index === at ? spoilt(random, request.text) : request.text,
  }))
  const leaves = { how: random.pick(['fin', 'rst'] as const), at: lengthOf(changed), turns: random.between(5, 30) }
  return {
    ...usual,
    requests: changed,
    garbled: true,
    leaves,
    pauses: random.chance(0.4) ? cutsOf(random, changed, 3) : [],
  }
}

/** The kinds of cases, and how often each comes. */
export const kinds: readonly (readonly [weight: number, name: string, make: MakeCase])[] = [
  [10, 'whole', whole],
  [16, 'cut', cut],
  [2, 'every-byte', everyByte],
  [14, 'pipelined', pipelined],
  [16, 'mixed', mixed],
  [14, 'hang-up', hangUp],
  [1, 'slow-reader', slowReader],
  [16, 'upstream', upstreams],
  [4, 'websocket', webSockets],
  [10, 'garbled', garbled],
]
