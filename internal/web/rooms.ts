import { feed, maxFeeds } from '../events/events.ts'
import { type Ops, Refusal } from '../ops/ops.ts'
import { instantsIn } from '../when/when.ts'
import { type Answer, seeOther } from './answer.ts'
import type { WebDeps } from './api.ts'
import { assets, fileOf } from './assets.ts'
import type { Door, Guest } from './door.ts'
import { type Html, html } from './html.ts'
import { type Question, questionForm } from './pages/ask.ts'
import { auditPage } from './pages/audit.ts'
import { isWebVerb } from './pages/buttons.ts'
import { fleetPage } from './pages/fleet.ts'
import { guardPage } from './pages/guard.ts'
import { incidentsPage } from './pages/incidents.ts'
import { keysPage } from './pages/keys.ts'
import { changesOf, documentOf, plainPage } from './pages/layout.ts'
import type { Page, View } from './pages/page.ts'
import { poolPage } from './pages/pool.ts'
import { poolsPage } from './pages/pools.ts'
import { settingsPage } from './pages/settings.ts'
import { carryOut, fieldsOf, refused, saying, webActor } from './verbs.ts'

const say = instantsIn()

type Make = (view: View) => Page | Promise<Page>

const pages: Readonly<Record<string, Make>> = {
  '/': poolsPage,
  '/incidents': incidentsPage,
  '/audit': auditPage,
  '/guard': guardPage,
  '/keys': keysPage,
  '/fleet': fleetPage,
  '/settings': settingsPage,
}

/** Answers somebody who was let in; null where the answer is a stream that goes on. */
export async function enter(parts: WebDeps, door: Door, guest: Guest): Promise<Answer | null> {
  const { request, url } = guest
  const method = request.method ?? ''
  const isReading = method === 'GET' || method === 'HEAD'
  if (!isReading && method !== 'POST')
    return { status: 405, headers: { allow: 'GET, HEAD, POST' }, type: 'text/plain', body: '' }
  const file = isReading ? fileOf(url.pathname) : null
  if (file !== null) return { status: 200, ...file }
  if (isReading && url.pathname === '/v1/events') return live(parts, door, guest)
  const ops = parts.ops.as(webActor)
  try {
    if (!isReading) return await act(parts, ops, guest)
    return await show(parts, ops, guest, makerOf(url.pathname, ops))
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { status, body } = refused(error)
    const answer = await show(parts, ops, guest, () => plainPage('Refused', '/', body))
    return { ...answer, status }
  }
}

/** The stream of events, each by itself or gathered for a page (`?every=250`). */
function live(parts: WebDeps, door: Door, { response, url, lives }: Guest): Answer | null {
  if (door.feeds.full)
    return { status: 429, type: 'text/plain; charset=utf-8', body: `there are ${maxFeeds} event streams already\n` }
  const every = Number(url.searchParams.get('every'))
  const after = (delayMs: number, run: () => void) => parts.clock.after(delayMs, run)
  const gathers = Number.isFinite(every) && every > 0 ? { everyMs: Math.max(100, Math.min(10_000, every)) } : {}
  feed(response, parts.events, { feeds: door.feeds, after, lives, ...gathers })
  return null
}

/** What makes the page of a path. */
function makerOf(path: string, ops: Ops): Make {
  const fixed = Object.hasOwn(pages, path) ? pages[path] : undefined
  if (fixed) return fixed
  const [, first, pool, verb, ...rest] = path.split('/').map(decoded)
  if (first === 'pools' && pool && rest.length === 0) {
    if (verb === undefined) return (view) => poolPage(pool, view)
    if (isWebVerb(verb))
      return async (view) => {
        const question = await questionFor(ops, { verb, pool, member: view.query.get('member') })
        return plainPage('One question', '/', questionForm(question))
      }
  }
  throw new Refusal('not-found', `there is no page ${path}`)
}

/** A part of a path; what is not encoded properly stands for itself. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

async function questionFor(ops: Ops, { verb, pool, member }: Omit<Question, 'others'>): Promise<Question> {
  const { members, active } = await ops.poolStatus({ name: pool })
  const others = members.map(({ name }) => name).filter((name) => name !== active)
  if (verb === 'rotate') return { verb, pool, member: null, others }
  if (member === null || !members.some(({ name }) => name === member))
    throw new Refusal('not-found', `${pool} has no member ${member ?? 'without a name'}`)
  return { verb, pool, member, others }
}

async function show({ clock }: WebDeps, ops: Ops, guest: Guest, make: Make): Promise<Answer> {
  const { request, session, url } = guest
  const view: View = { ops, status: await ops.status({}), now: clock.now(), say, query: url.searchParams }
  const page = await make(view)
  const have = request.headers['spillway-have']
  if (typeof have === 'string') return { status: 200, body: changesOf(page, view, new Set(have.split(','))) }
  const { flash } = session
  if (request.method !== 'HEAD') session.flash = null
  return { status: 200, body: documentOf(page, view, { assets: assets(), flash }) }
}

/** Carries out the verb of a path, and goes on to the page of its pool. */
async function act({ clock }: WebDeps, ops: Ops, { request, session, url }: Guest): Promise<Answer> {
  const fields = await fieldsOf(request)
  const [, first, pool, verb, ...rest] = url.pathname.split('/').map(decoded)
  if (first !== 'pools' || !pool || verb === undefined || !isWebVerb(verb) || rest.length > 0)
    throw new Refusal('not-found', `nothing can be sent to ${url.pathname}`)
  const told: Html = await carryOut(ops, { verb, pool, fields }, saying(say, clock.now()))
  session.flash = html`${told}`
  return seeOther(`/pools/${encodeURIComponent(pool)}`)
}
