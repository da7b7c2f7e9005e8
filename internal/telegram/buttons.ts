import { randomBytes } from 'node:crypto'
import type { Action } from './action.ts'

/** The part of an inline keyboard that a message carries. */
export interface Key {
  readonly text: string
  readonly callback_data: string
}

interface Entry {
  readonly chat: number
  readonly purpose: string
  readonly action: Action
  readonly expiresAt: number
  used: boolean
}

/** What a press means: an action to carry out, or why there is none. */
export type Press =
  | { readonly kind: 'action'; readonly action: Action; readonly putBack: () => void }
  | { readonly kind: 'expired' | 'used'; readonly action: Action }
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
  data(chat: number, purpose: string, action: Action, now: number): string {
    for (const [data, entry] of this.#entries) {
      const isSame =
        entry.chat === chat && entry.purpose === purpose && JSON.stringify(entry.action) === JSON.stringify(action)
      if (isSame && !entry.used && entry.expiresAt - now >= lifeMs / 2) return data
    }
    const data = prefix + randomBytes(18).toString('base64url')
    this.#entries.set(data, { chat, purpose, action, expiresAt: now + lifeMs, used: false })
    if (this.#entries.size > mostEntries) this.#forgetOldest()
    return data
  }

  /** Takes a press: the same button does nothing more unless it is put back. */
  press(chat: number, data: string, now: number): Press {
    const entry = this.#entries.get(data)
    if (!entry || entry.chat !== chat) return { kind: 'unknown' }
    const { action } = entry
    if (entry.used) return { kind: 'used', action }
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
