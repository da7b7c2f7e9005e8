import type { Notifier, Remedy } from '../notify/notify.ts'
import { type Ops, phrasedHint, Refusal } from '../ops/ops.ts'
import type { SayInstant } from '../when/when.ts'

/** The verbs that Telegram offers, as somebody. */
type TelegramVerbs = Pick<
  Ops,
  | 'status'
  | 'poolList'
  | 'poolStatus'
  | 'poolRotate'
  | 'poolPark'
  | 'poolUnpark'
  | 'poolClear'
  | 'credEnable'
  | 'auditList'
>

/** The part of `ops` that Telegram needs: the verbs in the name of an actor. */
export interface TelegramOps {
  as(actor: string): TelegramVerbs
}

/** What a command or a button has at hand. */
export interface ActionDeps {
  readonly ops: TelegramOps
  readonly notifier: Pick<Notifier, 'mute' | 'mutedUntil' | 'offers'>
  readonly now: () => number
  readonly instant: SayInstant
  /** What this machine is called. */
  readonly host: string
}

/** Something that changes a pool or a credential; a button carries one. */
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
    case 'enable':
      return `Enable ${action.member}`
  }
}

/** The command that does the same. */
export function commandFor(action: Action): string {
  if (action.verb === 'enable') return `/enable ${action.member}`
  return action.verb === 'rotate' ? `/rotate ${action.pool}` : `/${action.verb} ${action.pool} ${action.member}`
}

/** Does it and says what came of it; rejects with a Refusal. */
export async function carryOut(action: Action, { ops, now, instant }: ActionDeps, actor: string): Promise<string> {
  const verbs = ops.as(actor)
  const at = (text: string) => instant(Date.parse(text), now())
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
    case 'enable': {
      const { name, changed } = await verbs.credEnable({ name: action.member })
      return changed ? `${name} is enabled.` : `${name} was enabled already.`
    }
  }
}

/** What an operator reads when a command did not work; null for an error that is a fault of the program. */
export function sentenceOf(error: unknown): string | null {
  if (!(error instanceof Refusal)) return null
  const hint = phrasedHint(error.hint)
  return hint === null ? sentence(error.message) : `${sentence(error.message)}\n${hint}`
}

/** As it is: a capital letter would make another name of a name. */
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}
