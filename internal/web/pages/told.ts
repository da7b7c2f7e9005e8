import type { AuditShape } from '../../ops/ops.ts'
import { type Html, html, none } from '../html.ts'
import { ago, type View, words } from './page.ts'

type Row = Pick<
  AuditShape,
  'seq' | 'at' | 'kind' | 'pool' | 'from' | 'to' | 'reason' | 'actor' | 'suppressed' | 'detail'
>

/** An audit row as a sentence, such as `failed over from work to personal (rate limited)`. */
export function sentenceOf(row: Row): string {
  const { kind, from, to, reason } = row
  const a = from ?? 'a member'
  const b = to ?? 'nobody'
  const why = reason === null ? '' : ` (${words(reason)})`
  const sentences: Readonly<Record<string, string>> = {
    cred_failover: `failed over from ${a} to ${b}${why}`,
    pool_exhausted: `exhausted: nobody can serve${why}`,
    pool_recovered: to === null ? 'recovered' : `recovered, ${b} serves`,
    pool_rotated: `rotated from ${a} to ${b}`,
    member_parked: `${a} was parked`,
    member_unparked: `${a} was unparked`,
    member_cleared: `the cooldown of ${a} was cleared`,
    cred_cooled: `${a} cools${why}`,
    cred_suspect: `${a} is suspect${why}`,
    cred_needs_login: `${a} needs a login${why}`,
    cred_unreadable: `the secret of ${a} cannot be read`,
    cred_revived: `${a} is usable again`,
    cred_disabled: `${a} is disabled${why}`,
  }
  return sentences[kind] ?? `${words(kind)}${from === null ? '' : `: ${from}`}${to === null ? '' : ` → ${to}`}${why}`
}

/** Rows as a list that reads from top to bottom; the newest is first. */
export function storyOf(rows: readonly Row[], view: View, options: { readonly pool: boolean }): Html {
  return html`<ol class="story" role="list">${rows.map((row) => line(row, view, options.pool))}</ol>`
}

function line(row: Row, view: View, withPool: boolean): Html {
  const pool =
    withPool && row.pool !== null ? html`<a href="/pools/${encodeURIComponent(row.pool)}">${row.pool}</a>: ` : none
  const by = row.actor.startsWith('operator:')
    ? html` <span class="by">by ${row.actor.slice('operator:'.length)}</span>`
    : none
  const more = row.suppressed > 0 ? html` <span class="by">and ${row.suppressed} more like it</span>` : none
  return html`<li class="${toneOf(row.kind)}"><span class="time">${ago(row.at, view)}</span><span>${pool}${sentenceOf(row)}${by}${more}</span></li>`
}

const bad =
  /exhausted|needs_login|unreadable|disabled|trouble|_down|storm|rejected|unrecovered|failed|over$|filling|guessed|blocked/
const good = /recovered|revived|healed|_up$|readable|within|calm|unparked|cleared|enabled/

/** How a row is coloured. */
export function toneOf(kind: string): 'bad' | 'good' | 'plain' {
  if (kind === 'cred_failover') return 'plain'
  if (good.test(kind) && kind !== 'cred_unreadable' && kind !== 'path_unrecovered') return 'good'
  return bad.test(kind) ? 'bad' : 'plain'
}
