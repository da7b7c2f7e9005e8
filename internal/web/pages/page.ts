import { createHash } from 'node:crypto'
import type { Ops, StatusShape } from '../../ops/ops.ts'
import type { SayInstant } from '../../when/when.ts'
import { type Html, html } from '../html.ts'
import { relative } from './time.ts'

/** A part of a page that is sent again only when it has changed. */
export interface Piece {
  readonly id: string
  readonly body: Html
}

/** A page: its name and its parts. */
export interface Page {
  readonly title: string
  /** Which entry of the menu it belongs to. */
  readonly at: string
  readonly pieces: readonly Piece[]
}

/** What a page is made from. */
export interface View {
  readonly ops: Ops
  /** As the page sees it: asked for once, as the menu shows a part of it, too. */
  readonly status: StatusShape
  readonly now: number
  /** Says instants in the zone of this machine. */
  readonly say: SayInstant
  readonly query: URLSearchParams
}

/** A piece's version: the same for the same markup. */
export function versionOf({ body }: Piece): string {
  return createHash('sha1').update(body.text).digest('base64url').slice(0, 10)
}

/** An instant as it is seen from now, with the absolute one on hover. */
export function ago(instant: string, { now, say }: Pick<View, 'now' | 'say'>): Html {
  const at = Date.parse(instant)
  return html`<time datetime="${instant}" title="${say(at, now)}" data-tick>${relative(at, now)}</time>`
}

/** An instant as the clock shows it, with the relative one behind it: `14:05:00 UTC, in 4 min`. */
export function clockAnd(instant: string, { now, say }: Pick<View, 'now' | 'say'>): Html {
  const at = Date.parse(instant)
  return html`<span class="clock">${say(at, now)}</span>, <time datetime="${instant}" data-tick>${relative(at, now)}</time>`
}

/** What is said where there is nothing: why, and what to type. */
export function empty(text: string, ...commands: readonly string[]): Html {
  return html`<div class="empty"><p>${text}</p>${commands.map((command) => html`<pre><code>${command}</code></pre>`)}</div>`
}

/** A table that can be scrolled sideways where it is too wide, with the keyboard, too. */
export function wide(label: string, table: Html): Html {
  return html`<div class="wide" role="region" aria-label="${label}" tabindex="0">${table}</div>`
}

/** A notice with the command at its end marked as one: `… Run: spillway cred login work`. */
export function withCommand(text: string): Html {
  const [, told, command] = /^([\s\S]*\b(?:Run|Look): )(spillway [^\n]+)$/.exec(text) ?? []
  return told === undefined || command === undefined ? html`${text}` : html`${told}<code>${command}</code>`
}

/** A code such as `rate-limited` or `pool_exhausted` as words. */
export function words(code: string): string {
  return code.replace(/[-_]/g, ' ')
}

/** Many in words: `1 member`, `3 members`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
