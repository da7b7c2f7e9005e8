import { randomBytes } from 'node:crypto'
import type { Action } from './action.ts'

/** The part of an inline keyboard that a message carries. */
export interface Key {
  readonly text: string
  readonly callback_data: string
}

/** What a message with buttons is about: an incident, whose end is theirs, or the answer to a message. */
export type Purpose = { readonly incident: string } | { readonly replyTo: number | null }

interface Entry {
  readonly chat: number
  readonly purpose: Purpose
  readonly action: Action
  readonly expiresAt: number
  used: boolean
}

/** What a press means: an action to carry out, or why there is none. */
export type Press =
  | { readonly kind: 'action'; readonly action: Action; readonly putBack: () => void }
  | { readonly kind: 'expired' | 'used' | 'over'; readonly action: Action }
  | { readonly kind: 'unknown' }

const lifeMs = 3_600_000
const mostEntries = 1_000
const prefix = 'do:'

/**
 * Looks up what a button stands for. The data of a button is a random number and nothing else: it cannot be forged, means
 * something in its own chat only, works once, and for an hour.
 */
export class Buttons {
  readonly #entries = new Map<string, Entry>()

  /** The data for a button of `purpose` (a message); the same as before while that one can still be pressed for half its life. */
  data(chat: number, purpose: Purpose, action: Action, now: number): string {
    for (const [data, entry] of this.#entries) {
      const isSame = entry.chat === chat && textOf(entry) === textOf({ purpose, action })
      if (isSame && !entry.used && entry.expiresAt - now >= lifeMs / 2) return data
    }
    const data = prefix + randomBytes(18).toString('base64url')
    this.#entries.set(data, { chat, purpose, action, expiresAt: now + lifeMs, used: false })
    if (this.#entries.size > mostEntries) this.#forgetOldest()
    return data
  }

  /** Takes a press: the same button does nothing more unless it is put back, and nothing when its incident no longer offers it. */
  press(
    chat: number,
    data: string,
    { now, isOffered }: { now: number; isOffered: (incident: string, action: Action) => boolean },
  ): Press {
    const entry = this.#entries.get(data)
    if (!entry || entry.chat !== chat) return { kind: 'unknown' }
    const { action } = entry
    if (entry.used) return { kind: 'used', action }
    if ('incident' in entry.purpose && !isOffered(entry.purpose.incident, action)) return { kind: 'over', action }
    if (entry.expiresAt <= now) return { kind: 'expired', action }
    entry.used = true
    const putBack = () => {
      entry.used = false
    }
    return { kind: 'action', action, putBack }
  }

  #forgetOldest(): void {
    const oldest = this.#entries.keys().next()
    if (!oldest.done) this.#entries.delete(oldest.value)
  }
}

function textOf({ purpose, action }: Pick<Entry, 'purpose' | 'action'>): string {
  return JSON.stringify([purpose, action])
}
