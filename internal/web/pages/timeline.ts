import type { AuditShape } from '../../ops/ops.ts'
import { type Html, html } from '../html.ts'
import { counted } from './page.ts'

type Row = Pick<AuditShape, 'at' | 'kind' | 'from' | 'to'>

/** A stretch of time in which nobody could serve; `to` is null while it lasts. */
export interface Stretch {
  readonly from: number
  readonly to: number | null
}

/** When the pool was exhausted, from its rows in their order; one that began before them has no beginning of its own. */
export function exhaustions(rows: readonly Row[], since: number): Stretch[] {
  const found: Stretch[] = []
  let from: number | null = null
  for (const { kind, at } of rows) {
    if (kind === 'pool_exhausted') from ??= Date.parse(at)
    if (kind !== 'pool_recovered') continue
    found.push({ from: from ?? since, to: Date.parse(at) })
    from = null
  }
  return from === null ? found : [...found, { from, to: null }]
}

/** A strip of time: where the pool was exhausted, and a mark for each failover. */
export function timeline(rows: readonly Row[], { since, now }: { since: number; now: number }): Html {
  const x = (at: number) => Math.max(0, Math.min(1_000, Math.round(((at - since) / (now - since)) * 1_000)))
  const stretches = exhaustions(rows, since)
  const failovers = rows.filter(({ kind }) => kind === 'cred_failover')
  const told = `${counted(failovers.length, 'failover')}, exhausted ${stretches.length === 0 ? 'never' : counted(stretches.length, 'time')}`
  return html`<svg class="timeline" viewBox="0 0 1000 40" preserveAspectRatio="none" role="img" aria-label="${told}"><rect class="track" width="1000" height="40"/>${stretches.map(
    ({ from, to }) =>
      html`<rect class="exhausted" x="${Math.min(997, x(from))}" width="${Math.max(3, x(to ?? now) - x(from))}" height="40"/>`,
  )}${failovers.map(({ at }) => html`<rect class="failover" x="${Math.min(997, x(Date.parse(at)))}" width="3" y="6" height="28"/>`)}</svg><p class="legend">${told}</p>`
}
