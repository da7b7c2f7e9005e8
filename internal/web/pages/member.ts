import type { MemberShape, PoolShape } from '../../ops/ops.ts'
import { type Html, html, none } from '../html.ts'
import { buttons } from './buttons.ts'
import { ago, clockAnd, counted, type View, words } from './page.ts'

/** How a member is, in the fewest words; the tone is its colour, the mark says the same without one. */
interface Condition {
  readonly tone: 'serves' | 'ready' | 'aside' | 'wait' | 'bad'
  readonly label: string
  readonly why: Html
}

const marks = { serves: '●', ready: '○', aside: '◐', wait: '◔', bad: '✕' } as const

/** The members of a pool, one row each. */
export function memberRows(pool: PoolShape, members: readonly MemberShape[], view: View): Html {
  return html`<ul class="members" role="list">${members.map((member) => row(pool, member, view))}</ul>`
}

function row(pool: PoolShape, member: MemberShape, view: View): Html {
  const { tone, label, why } = conditionOf(member, view)
  return html`<li class="member ${tone}" id="m-${pool.name}-${member.name}">
<div class="who"><span class="mark" aria-hidden="true">${marks[tone]}</span><b>${member.name}</b>${member.tier > 1 ? html` <span class="by">tier ${member.tier}</span>` : none}</div>
<div class="state"><span class="label">${label}</span> ${why}${scopes(member, view)}</div>
<div class="windows">${member.usage.map((usage) => windowBar(usage, view))}</div>
<div class="figures">${figures(member, view)}</div>
<div class="verbs">${buttons(pool, member)}</div></li>`
}

function conditionOf(member: MemberShape, view: View): Condition {
  const { health, park, reachable, host, active, cappedUntil } = member
  const aside = park === null ? none : html` ${parked(park, view)}`
  if (health.state !== 'healthy')
    return { ...unwell(member, view), ...(park === null ? {} : { why: html`${unwell(member, view).why};${aside}` }) }
  if (!reachable)
    return {
      tone: 'bad',
      label: 'unreachable',
      why: html`${host} does not answer${park === null ? none : html`;${aside}`}`,
    }
  if (park !== null)
    return {
      tone: active ? 'serves' : 'aside',
      label: active ? 'serves' : 'parked',
      why: active ? aside : until(park.until, view, park.by),
    }
  if (cappedUntil !== null && !active)
    return { tone: 'wait', label: 'capped', why: html`by its cap, back ${clockAnd(cappedUntil, view)}` }
  return active ? { tone: 'serves', label: 'serves', why: none } : { tone: 'ready', label: 'ready', why: none }
}

function parked(park: NonNullable<MemberShape['park']>, view: View): Html {
  return html`parked ${until(park.until, view, park.by)}`
}

function until(instant: string | null, view: View, by: string): Html {
  const who = by.replace(/^operator:/, '')
  const end = instant === null ? html`until somebody unparks it` : html`until ${clockAnd(instant, view)}`
  return html`${end} <span class="by">(by ${who})</span>`
}

function unwell(member: MemberShape, view: View): Condition {
  const { state, reason, until: end, by } = member.health
  const why = reason === null || reason === state ? '' : words(reason)
  const back = end === null ? none : html`back ${clockAnd(end, view)}`
  const since = member.health.since === null ? none : html`, ${ago(member.health.since, view)}`
  const run = member.command === null ? none : html`<span class="run">Run <code>${member.command}</code></span>`
  switch (state) {
    case 'cooling':
      return {
        tone: 'wait',
        label: 'cooling',
        why: html`<span class="why">${why}</span>${why === '' ? none : ', '}${back}`,
      }
    case 'suspect':
      return {
        tone: 'wait',
        label: 'suspect',
        why: html`<span class="why">${why}</span>, tried again ${end === null ? none : clockAnd(end, view)}`,
      }
    case 'probing':
      return { tone: 'wait', label: 'being tried', why: html`<span class="why">${why}</span>` }
    case 'needs-login':
      return { tone: 'bad', label: 'needs a login', why: html`<span class="why">${why}</span>${since} ${run}` }
    case 'unreadable':
      return { tone: 'bad', label: 'secret unreadable', why: html`<span class="why">${why}</span>${since} ${run}` }
    default:
      return {
        tone: 'bad',
        label: by === 'operator' ? 'switched off' : 'disabled',
        why: html`<span class="why">${why}</span>${since} ${run}`,
      }
  }
}

function scopes({ scoped }: MemberShape, view: View): Html {
  return html`${scoped.map(({ model, reason, until: end }) => html`<span class="scope">${model}: ${words(reason)}, back ${clockAnd(end, view)}</span>`)}`
}

function windowBar({ window, usedPercent, resetAt, cap }: MemberShape['usage'][number], view: View): Html {
  const used = Math.max(0, Math.min(100, usedPercent))
  const level = used >= 95 ? 'full' : used >= 75 ? 'high' : 'low'
  const reset = resetAt === null ? none : html`<span class="reset">resets ${ago(resetAt, view)}</span>`
  return html`<div class="window ${level}"><span class="name">${window}</span><svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label="${window}: ${Math.round(used)} % used${cap === null ? '' : `, stopped at ${cap} %`}"><rect class="track" width="100" height="8"/><rect class="used" width="${used}" height="8"/>${cap === null ? none : html`<rect class="cap" x="${cap}" width="1" height="8"/>`}</svg><span class="percent" aria-hidden="true">${Math.round(used)} %</span>${reset}</div>`
}

function figures({ inFlight, requests, failures, lastUsedAt }: MemberShape, view: View): Html {
  const facts = [
    inFlight ? html`<span class="now">${inFlight} in flight</span>` : none,
    requests ? html`<span>${counted(requests, 'request')}</span>` : none,
    failures ? html`<span class="failed">${failures} failed</span>` : none,
    lastUsedAt === null ? html`<span>not used yet</span>` : html`<span>used ${ago(lastUsedAt, view)}</span>`,
  ]
  return html`${facts}`
}
