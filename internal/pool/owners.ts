import type { At, ModelFamily } from './outcome.ts'
import { Recent } from './recent.ts'
import { type Availability, availability, recoversAt, type Seat } from './seat.ts'
import type { Choice, Rung } from './select.ts'

/** How many ids are remembered, and how long one that nobody names. */
const bounds = { most: 100_000, idleMs: 86_400_000 }

/** Who owns the state that requests name (an earlier response, a file, a batch, a container), by digests of its ids. */
export class Owners<O> {
  readonly #recent = new Recent<O>(bounds)
  /** Whether anything but responses is known: without that no body has to be searched for it. */
  knowsUploads = false

  /** `owner` has what is called so; `isUpload`: it is no response. */
  note(digest: string, owner: O, about: { readonly isUpload: boolean; readonly now: At }): void {
    if (about.isUpload) this.knowsUploads = true
    this.#recent.note(digest, owner, about.now)
  }

  /** The owner of the first of them that is known; null when none is. */
  of(digests: readonly string[], now: At): O | null {
    for (const digest of digests) {
      const owner = this.#recent.get(digest, now)
      if (owner !== null) return owner
    }
    return null
  }
}

/** Where an owner can serve, the best first: nobody else can, so that one that is parked serves as well. */
const serving: readonly (readonly [Availability, Rung])[] = [
  ['ready', 'healthy'],
  ['elapsed', 'probe'],
  ['parked', 'parked'],
  ['parked-elapsed', 'parked-probe'],
]

/** Which of `seats`, which alone have what the request names, serves it; `exhausted` when none of them can at `now`. */
export function selectOwner(
  seats: readonly Seat[],
  wish: { readonly model: ModelFamily | null; readonly tried: readonly Seat[] },
  now: At,
): Choice {
  const { model, tried } = wish
  const inOrder = [...seats].sort((one, other) => one.tier - other.tier || one.inFlight - other.inFlight)
  const standing = inOrder.map((seat) => ({ seat, stands: availability(seat, now, model) }))
  const left = standing.filter(({ seat }) => !tried.includes(seat))
  for (const [stands, rung] of [...serving, ['full', 'full'] as const]) {
    const found = left.find((one) => one.stands === stands)
    if (found) return { rung, seat: found.seat }
  }
  const sooner = (one: Seat, other: Seat) => recoversAt(one, model) - recoversAt(other, model)
  const [behindHost] = left.flatMap(({ seat, stands }) => (stands === 'host' ? seat : [])).sort(sooner)
  if (behindHost) return { rung: 'host', retryAt: Math.max(recoversAt(behindHost, model), now), seat: behindHost }
  if (standing.some(({ stands }) => stands !== 'shut' && stands !== 'out')) return { rung: 'tried' }
  const [first] = standing.flatMap(({ seat, stands }) => (stands === 'shut' ? seat : [])).sort(sooner)
  return { rung: 'exhausted', retryAt: first ? Math.max(recoversAt(first, model), now) : null, first: first ?? null }
}
