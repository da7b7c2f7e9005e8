import type { Notifier, Remedy, Wall } from '../notify/notify.ts'
import { type Ops, phrasedHint, Refusal } from '../ops/ops.ts'

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
export interface ActionDeps {
  readonly ops: TelegramOps
  readonly notifier: Pick<Notifier, 'mute' | 'mutedUntil'>
  readonly now: () => number
  readonly wall: Wall
}

/** Something that changes a pool; a button carries one. */
export type Action = Remedy & { readonly forMs?: number }

/** How a button names the action. */
export function labelOf(action: Action): string {
  switch (action.verb) {
    case 'rotate':
      return `Rotate ${action.pool}`
    case 'park':
      return action.forMs === 3_600_000 ? `Park ${action.member} 1h` : `Park ${action.member}`
    case 'unpark':
      return `Unpark ${action.member}`
    case 'clear':
      return `Clear ${action.member}`
  }
}

/** The command that does the same. */
export function commandFor(action: Action): string {
  return action.verb === 'rotate' ? `/rotate ${action.pool}` : `/${action.verb} ${action.pool} ${action.member}`
}

/** Does it and says what came of it; rejects with a Refusal. */
export async function carryOut(action: Action, { ops, now, wall }: ActionDeps, actor: string): Promise<string> {
  const verbs = ops.as(actor)
  const at = (instant: string) => wall(Date.parse(instant), now())
  const forMs = action.forMs === undefined ? {} : { forMs: action.forMs }
  switch (action.verb) {
    case 'rotate': {
      const { pool, from, to, until } = await verbs.poolRotate({ name: action.pool, ...forMs })
      return `${pool}: ${from} → ${to} (${from} parked until ${at(until)})`
    }
    case 'park': {
      const { pool, member, until } = await verbs.poolPark({ name: action.pool, member: action.member, ...forMs })
      return `${pool}: ${member} is parked ${until === null ? 'until somebody unparks it' : `until ${at(until)}`}.`
    }
    case 'unpark': {
      const { pool, member, changed } = await verbs.poolUnpark({ name: action.pool, member: action.member })
      return changed ? `${pool}: ${member} is no longer parked.` : `${pool}: ${member} was not parked.`
    }
    case 'clear': {
      const { pool, member, changed } = await verbs.poolClear({ name: action.pool, member: action.member })
      return changed ? `${pool}: ${member} is cleared.` : `${pool}: ${member} had no cooldown to clear.`
    }
  }
}

/** What an operator reads when a command did not work; null for an error that is a fault of the program. */
export function sentenceOf(error: unknown): string | null {
  if (!(error instanceof Refusal)) return null
  const hint = phrasedHint(error.hint)
  return hint === null ? sentence(error.message) : `${sentence(error.message)}\n${hint}`
}

function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(capital) ? capital : `${capital}.`
}
