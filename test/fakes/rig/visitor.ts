import type { Installation } from './installation.ts'
import { type Answered, askAdmin } from './terminal.ts'

/** One browser in front of the web view, as far as HTTP goes: it keeps its cookie, and sends any header. */
export class Visitor {
  readonly origin: string
  readonly port: number
  cookie = ''

  constructor(origin: string) {
    this.origin = origin
    this.port = Number(new URL(origin).port)
  }

  /** Asks with the cookie, if there is one, and with these headers; a browser's `Host` unless another is given. */
  async ask(
    path: string,
    headers: Readonly<Record<string, string>> = {},
    method = 'GET',
    body = '',
  ): Promise<Answered> {
    const own = this.cookie === '' ? {} : { cookie: this.cookie }
    const sent = { host: new URL(this.origin).host, ...own, ...headers }
    const answered = await askAdmin({ port: this.port, method, path, headers: sent, ...(body === '' ? {} : { body }) })
    const [set] = answered.headers['set-cookie'] ?? []
    if (set !== undefined) this.cookie = set.split(';')[0] ?? ''
    return answered
  }

  /** Sends a form as a page of the web view does. */
  form(
    path: string,
    fields: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = { origin: this.origin },
  ): Promise<Answered> {
    const type = { 'content-type': 'application/x-www-form-urlencoded' }
    return this.ask(path, { ...type, ...headers }, 'POST', new URLSearchParams({ ...fields }).toString())
  }
}

/** Somebody who comes with a fresh link and has not used it yet. */
export async function arriving(spillway: Installation): Promise<{ visitor: Visitor; path: string }> {
  const { origin, pathname } = new URL((await spillway.ops.webLink({})).url)
  return { visitor: new Visitor(origin), path: pathname }
}

/** Somebody who was let in. */
export async function visitorOf(spillway: Installation): Promise<Visitor> {
  const { visitor, path } = await arriving(spillway)
  await visitor.ask(path)
  return visitor
}
