import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Installation, installation } from '../fakes/rig/installation.ts'
import { arriving, Visitor, visitorOf } from '../fakes/rig/visitor.ts'

let spillway: Installation
let origin: string

beforeAll(async () => {
  spillway = await installation({ config: { 'web.listen': '127.0.0.1:0' } })
  await spillway.pool('openai', ['a', 'b'])
  origin = (await arriving(spillway)).visitor.origin
})
afterAll(() => spillway.close())
// Wrong guesses of one test are over in the next.
beforeEach(() => spillway.advance(60_000))

const paths = [
  '/',
  '/pools/openai',
  '/pools/openai/park?member=a',
  '/incidents',
  '/audit',
  '/guard',
  '/keys',
  '/fleet',
  '/settings',
  '/assets/app.js',
  '/assets/app.css',
  '/v1/events',
  '/nothing',
]

async function parked(): Promise<boolean> {
  const { members } = await spillway.ops.poolStatus({ name: 'openai' })
  return members.some(({ park }) => park !== null)
}

describe('without a session', () => {
  it.each(paths)('%s is locked and tells nothing', async (path) => {
    const { status, text } = await new Visitor(origin).ask(path)
    expect(status).toBe(401)
    expect(text).not.toMatch(/openai|sk-/)
  })

  it('no verb is carried out, wherever it seems to come from', async () => {
    const visitor = new Visitor(origin)
    expect((await visitor.form('/pools/openai/park', { member: 'a' })).status).toBe(401)
    visitor.cookie = `spillway-${visitor.port}=guessed`
    expect((await visitor.form('/pools/openai/park', { member: 'a' })).status).toBe(401)
    expect(await parked()).toBe(false)
  })
})

describe('a link', () => {
  it('lets one browser in, once', async () => {
    const { visitor, path } = await arriving(spillway)
    const { status, headers } = await visitor.ask(path)
    expect([status, headers.location]).toEqual([303, '/'])
    expect(headers['set-cookie']?.[0]).toMatch(
      /^spillway-\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/,
    )
    expect((await visitor.ask('/')).status).toBe(200)
    const other = new Visitor(origin)
    expect((await other.ask(path)).status).toBe(403)
    expect(other.cookie).toBe('')
  })

  it('is over after five minutes', async () => {
    const { visitor, path } = await arriving(spillway)
    await spillway.advance(5 * 60_000)
    expect((await visitor.ask(path)).status).toBe(403)
  })

  it('is not spent by what only fetches a preview', async () => {
    const { visitor, path } = await arriving(spillway)
    expect((await visitor.ask(path, {}, 'HEAD')).status).toBe(405)
    expect((await visitor.ask(path)).status).toBe(303)
  })

  it('is given out over the socket only', async () => {
    const { url } = await spillway.ops.webLink({})
    const told = JSON.stringify([await spillway.ops.settings({}), await spillway.audit()])
    expect(told).not.toContain(new URL(url).pathname.split('/')[2])
  })

  it('that comes from another site goes on without a redirect, which would carry no strict cookie', async () => {
    const { visitor, path } = await arriving(spillway)
    const { status, text } = await visitor.ask(path, { 'sec-fetch-site': 'cross-site' })
    expect(status).toBe(200)
    expect(text).toContain('url=/')
  })
})

describe('a session', () => {
  it('is over once its owner has signed out', async () => {
    const visitor = await visitorOf(spillway)
    const { cookie } = visitor
    expect((await visitor.form('/logout', {})).status).toBe(303)
    visitor.cookie = cookie
    expect((await visitor.ask('/')).status).toBe(401)
  })
})

describe('what comes from elsewhere', () => {
  it.each(['evil.example', 'evil.example:8461', '127.0.0.1.evil.example', '127.0.0.1@evil.example', '10.0.0.1'])(
    'Host %j is refused, with a session, too',
    async (host) => {
      const visitor = await visitorOf(spillway)
      const { status, text } = await visitor.ask('/', { host })
      expect(status).toBe(421)
      expect(text).not.toContain('openai')
      expect((await arriving(spillway).then(({ path }) => visitor.ask(path, { host }))).status).toBe(421)
    },
  )

  it.each(['localhost', '127.0.0.1', '[::1]'])('Host %s is this machine', async (name) => {
    const visitor = await visitorOf(spillway)
    expect((await visitor.ask('/', { host: `${name}:${visitor.port}` })).status).toBe(200)
  })

  it.each([
    ['no header that says whose it is', {}],
    ['another site', { origin: 'http://evil.example' }],
    ['another port of this machine', { origin: 'http://127.0.0.1:1' }],
    ['a page without an origin', { origin: 'null' }],
    ['another site, as the browser says', { 'sec-fetch-site': 'cross-site' }],
    ['another port, as the browser says', { 'sec-fetch-site': 'same-site' }],
    ['nowhere, as the browser says', { 'sec-fetch-site': 'none' }],
  ])('a change with %s is refused', async (_, headers) => {
    const visitor = await visitorOf(spillway)
    expect((await visitor.form('/pools/openai/park', { member: 'a' }, headers)).status).toBe(403)
    expect(await parked()).toBe(false)
  })

  it('a foreign Origin reads nothing either', async () => {
    const visitor = await visitorOf(spillway)
    for (const path of ['/', '/v1/events'])
      expect((await visitor.ask(path, { origin: 'http://evil.example' })).status).toBe(403)
  })

  it('a verb is no link', async () => {
    const visitor = await visitorOf(spillway)
    expect((await visitor.ask('/pools/openai/park?member=a')).status).toBe(200)
    expect(await parked()).toBe(false)
    for (const method of ['PUT', 'DELETE', 'PATCH'])
      expect((await visitor.ask('/pools/openai/park', { origin }, method)).status).toBe(405)
  })
})

describe('guesses', () => {
  it('of links are limited to ten a minute, and a right one waits, too', async () => {
    const { visitor, path } = await arriving(spillway)
    const guess = async () => (await visitor.ask('/login/guessed')).status
    const seen = []
    for (let n = 0; n < 12; n++) seen.push(await guess())
    expect(seen).toEqual([...Array.from({ length: 10 }, () => 403), 429, 429])
    const { status, headers } = await visitor.ask(path)
    expect([status, headers['retry-after']]).toEqual([429, '60'])
    await spillway.advance(60_000)
    expect((await visitor.ask(path)).status).toBe(303)
  })

  it('of cookies are, too, and end no session', async () => {
    const inside = await visitorOf(spillway)
    const guesser = new Visitor(origin)
    guesser.cookie = inside.cookie.replace(/=.*/, '=guessed')
    const seen = []
    for (let n = 0; n < 11; n++) seen.push((await guesser.ask('/')).status)
    expect(seen).toEqual([...Array.from({ length: 10 }, () => 401), 429])
    expect((await inside.ask('/')).status).toBe(200)
  })

  it('of both count together where a cookie is tried', async () => {
    const guesser = new Visitor(origin)
    for (let n = 0; n < 6; n++) await guesser.ask('/login/guessed')
    guesser.cookie = `spillway-${guesser.port}=guessed`
    for (let n = 0; n < 4; n++) expect((await guesser.ask('/')).status).toBe(401)
    expect((await guesser.ask('/')).status).toBe(429)
  })
})

describe('every answer', () => {
  it.each(['/', '/settings', '/assets/app.js', '/nothing'])('%s is guarded', async (path) => {
    const visitor = await visitorOf(spillway)
    const { headers } = await visitor.ask(path)
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    })
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/unsafe|https?:|\*/)
  })

  it('has no script, style or handler in the page itself', async () => {
    const visitor = await visitorOf(spillway)
    for (const path of paths.filter((each) => !/^\/(assets|v1)/.test(each))) {
      const { text } = await visitor.ask(path)
      expect(text).not.toMatch(/<script(?![^>]* src="\/)|<style|\sstyle=|\son[a-z]+=|javascript:/i)
    }
  })

  it('shows no secret', async () => {
    const visitor = await visitorOf(spillway)
    const texts = await Promise.all(paths.filter((path) => path !== '/v1/events').map((path) => visitor.ask(path)))
    const all = texts.map(({ text }) => text).join('\n')
    for (const secret of ['sk-a', 'sk-b', spillway.key, visitor.cookie.split('=')[1] ?? '?'])
      expect(all).not.toContain(secret)
  })

  it('escapes what others have written', async () => {
    const visitor = await visitorOf(spillway)
    const nasty = '"><img src=x onerror=alert(1)>'
    const query = encodeURIComponent(nasty)
    for (const path of [
      `/pools/openai?model=${query}`,
      `/audit?kind=${query}`,
      `/audit?pool=${query}`,
      `/audit?since=${query}`,
      `/pools/${query}`,
      `/pools/openai/park?member=${query}`,
    ])
      expect((await visitor.ask(path)).text).not.toContain('<img')
    expect((await visitor.form('/pools/openai/park', { member: nasty })).text).not.toContain('<img')
    expect((await visitor.form('/pools/openai/park', { member: 'a', for: nasty })).text).not.toContain('<img')
  })

  it.each(['//evil.example', 'http://evil.example/', '*', '/%', '/pools/%E0%A4%A', '//[', '/pools/../../etc/passwd'])(
    'target %s does no harm',
    async (path) => {
      const visitor = await visitorOf(spillway)
      const { status } = await visitor.ask(path)
      expect(status).toBeLessThan(500)
    },
  )

  it('a form that is too long or none is refused', async () => {
    const visitor = await visitorOf(spillway)
    const json = await visitor.ask('/pools/openai/park', { origin, 'content-type': 'application/json' }, 'POST', '{}')
    expect(json.status).toBe(400)
    expect(await parked()).toBe(false)
  })
})
