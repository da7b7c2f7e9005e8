import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Answer, guard, seeOther, send } from './answer.ts'
import type { WebDeps } from './api.ts'
import type { Door, Guest } from './door.ts'
import { foreign, locked, spentLink, tooMany, welcome } from './entrance.ts'
import { passes } from './gate.ts'
import { sessionMs } from './sessions.ts'

const loginPath = '/login/'

/** Answers every request: first whether it may be here, then what it asks for. Never rejects. */
export function reception(
  parts: WebDeps,
  door: Door,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const inside = () => import('./rooms.ts')
  return async (request, response) => {
    response.on('error', () => {})
    guard(response)
    try {
      const met = meet(request, door)
      if ('answer' in met) return await send(request, response, met.answer)
      // Pages are loaded when somebody looks at one.
      const { enter } = await inside()
      const answer = await enter(parts, door, { ...met, request, response })
      if (answer !== null) await send(request, response, answer)
    } catch (error) {
      parts.log.error({ error, what: request.method ?? '' }, 'the web view did not answer')
      if (response.headersSent) return void response.destroy()
      await send(request, response, {
        status: 500,
        type: 'text/plain; charset=utf-8',
        body: 'something went wrong inside spillway; its log says what\n',
      })
    }
  }
}

const doubtful: Answer = { status: 400, type: 'text/plain; charset=utf-8', body: 'a path is expected\n' }

type Met = { readonly answer: Answer } | Pick<Guest, 'url' | 'session' | 'lives'>

/** Whether the request may see anything; the answer when it may not. */
function meet(request: IncomingMessage, door: Door): Met {
  const { headers, socket, method = '' } = request
  const passed = passes(
    {
      method,
      host: headers.host,
      origin: headers.origin,
      site: single(headers['sec-fetch-site']),
      mode: single(headers['sec-fetch-mode']),
      reached: socket.localAddress ?? '',
    },
    door.place,
  )
  if (passed !== 'yes') return { answer: foreign(passed) }
  const target = request.url ?? '/'
  if (!target.startsWith('/') || !URL.canParse(target, 'http://here')) return { answer: doubtful }
  const url = new URL(target, 'http://here')
  const address = socket.remoteAddress ?? ''
  if (url.pathname.startsWith(loginPath)) return { answer: login(request, door, { url, address }) }
  const secret = cookieOf(headers.cookie, door.cookieName())
  if (secret === null) return { answer: locked(false) }
  const session = door.sessions.find(secret)
  if (session === null) {
    const wait = door.guesses.waitSeconds(address)
    if (wait > 0) return { answer: tooMany(wait) }
    door.guesses.wrong(address)
    return { answer: locked(true) }
  }
  if (url.pathname === '/logout' && method === 'POST') {
    door.sessions.end(secret)
    return { answer: seeOther('/', { 'set-cookie': cookie(door, '', 0) }) }
  }
  return { url, session, lives: () => door.sessions.find(secret) !== null }
}

/** Exchanges a link for a session. */
function login(request: IncomingMessage, door: Door, { url, address }: { url: URL; address: string }): Answer {
  // What fetches a preview of a link asks with HEAD.
  if (request.method !== 'GET') return { status: 405, headers: { allow: 'GET' }, type: 'text/plain', body: '' }
  const wait = door.linkGuesses.waitSeconds(address)
  if (wait > 0) return tooMany(wait)
  const secret = door.sessions.redeem(url.pathname.slice(loginPath.length))
  if (secret === null) {
    door.linkGuesses.wrong(address)
    door.guesses.wrong(address)
    return spentLink()
  }
  return welcome(cookie(door, secret, sessionMs / 1_000), single(request.headers['sec-fetch-site']))
}

function cookie({ cookieName, place }: Door, secret: string, maxAge: number): string {
  const isSecure = place.scheme === 'https' || place.publicUrl?.startsWith('https:') === true
  const base = `${cookieName()}=${secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAge}`
  return isSecure ? `${base}; Secure` : base
}

function cookieOf(header: string | undefined, name: string): string | null {
  for (const pair of (header ?? '').split(/; */)) {
    const at = pair.indexOf('=')
    if (pair.slice(0, at) === name) return pair.slice(at + 1)
  }
  return null
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
