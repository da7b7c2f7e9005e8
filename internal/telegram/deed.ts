import type { Notifier, Remedy, Wall } from '../notify/notify.ts'
import { type Ops, Refusal } from '../ops/ops.ts'

/** The verbs that Telegram offers, as somebody. */
type TelegramVerbs = Pick<
  Ops,
  'status' | 'poolList' | 'poolStatus' | 'poolRotate' | 'poolPark' | 'poolUnpark' | 'poolClear' | 'auditList'
>

/** The part of `ops` that Telegram needs: the verbs in the name of an actor. */
export interface TelegramOps {
  as(actor: string): TelegramVerbs
}

/** What a command or a button has at hand. */
export interface Desk {
  readonly ops: TelegramOps
  readonly notifier: Pick<Notifier, 'mute' | 'mutedUntil'>
  readonly now: () => number
  readonly wall: Wall
}

/** Something that changes a pool; a button carries one. */
export type Deed = Remedy & { readonly forMs?: number }

/** How a button names the deed. */
export function labelOf(deed: Deed): string {
  switch (deed.verb) {
    case 'rotate':
      return `Rotate ${deed.pool}`
    case 'park':
      return deed.forMs === 3_600_000 ? `Park ${deed.member} 1h` : `Park ${deed.member}`
    case 'unpark':
      return `Unpark ${deed.member}`
    case 'clear':
      return `Clear ${deed.member}`
  }
}

/** The command that does the same. */
export function commandFor(deed: Deed): string {
  return deed.verb === 'rotate' ? `/rotate ${deed.pool}` : `/${deed.verb} ${deed.pool} ${deed.member}`
}

/** Does it and says what came of it; rejects with a Refusal. */
export async function carryOut(deed: Deed, { ops, now, wall }: Desk, actor: string): Promise<string> {
  const verbs = ops.as(actor)
  const at = (instant: string) => wall(Date.parse(instant), now())
  const forMs = deed.forMs === undefined ? {} : { forMs: deed.forMs }
  switch (deed.verb) {
    case 'rotate': {
      const { pool, from, to, until } = await verbs.poolRotate({ name: deed.pool, ...forMs })
      return `${pool}: ${from} → ${to} (${from} parked until ${at(until)})`
    }
    case 'park': {
      const { pool, member, until } = await verbs.poolPark({ name: deed.pool, member: deed.member, ...forMs })
      return `${pool}: ${member} is parked ${until === null ? 'until somebody unparks it' : `until ${at(until)}`}.`
    }
    case 'unpark': {
      const { pool, member, changed } = await verbs.poolUnpark({ name: deed.pool, member: deed.member })
      return changed ? `${pool}: ${member} is no longer parked.` : `${pool}: ${member} was not parked.`
    }
    case 'clear': {
      const { pool, member, changed } = await verbs.poolClear({ name: deed.pool, member: deed.member })
      return changed ? `${pool}: ${member} is cleared.` : `${pool}: ${member} had no cooldown to clear.`
    }
  }
}

/** What an operator reads when a command did not work; null for an error that is a fault of the program. */
export function excuseOf(error: unknown): string | null {
  if (!(error instanceof Refusal)) return null
  return error.hint === null ? sentence(error.message) : `${sentence(error.message)}\n${error.hint}`
}

function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(capital) ? capital : `${capital}.`
}
