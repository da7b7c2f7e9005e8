import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Installation } from '../fakes/rig/installation.ts'
import { enter, reboundHost, startBrowser, viewed } from './browser.ts'

let browser: Browser
let spillway: Installation
/** Another page of this machine: for browsers it is of the same site, so that it gets the cookie sent. */
let neighbour: Server
let markup = ''

beforeAll(async () => {
  browser = await startBrowser()
  spillway = await viewed()
  await spillway.pool('openai', ['work', 'personal'])
  neighbour = createServer((_, response) => response.setHeader('content-type', 'text/html').end(markup))
  await new Promise<void>((listening) => neighbour.listen(0, '127.0.0.1', listening))
})
afterAll(async () => {
  await browser.close()
  await spillway.close()
  neighbour.closeAllConnections()
  neighbour.close()
})

const parks = async () => (await spillway.audit('member_parked')).length
const neighbourly = () => `http://127.0.0.1:${(neighbour.address() as AddressInfo).port}/`

it('a link lets one browser in once, and the cookie is out of reach of scripts', async () => {
  const { url } = await spillway.ops.webLink({})
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(url)
  expect(await page.innerText('h1')).toBe('Pools')
  expect(page.url()).not.toContain('login')
  expect(await page.evaluate('document.cookie')).toBe('')
  expect(await context.cookies()).toMatchObject([{ httpOnly: true, sameSite: 'Strict' }])
  const second = await browser.newContext()
  const late = await second.newPage()
  expect((await late.goto(url))?.status()).toBe(403)
  expect(await late.innerText('body')).toMatch(/This link does not work[\s\S]*Type “spillway web” for a new one/)
  expect((await late.goto(new URL(url).origin))?.status()).toBe(401)
  expect(await late.innerText('body')).not.toContain('openai')
  await Promise.all([context.close(), second.close()])
})

it('another page can neither send a verb nor read what is shown', async () => {
  const { page, context, origin } = await enter(spillway, browser)
  markup = `<form method="post" action="${origin}/pools/openai/park"><input name="member" value="work"><button>Win</button></form>`
  await page.goto(neighbourly())
  const answered = page.waitForResponse(/park$/)
  await page.getByRole('button', { name: 'Win' }).click()
  expect((await answered).status()).toBe(403)
  await expect.poll(() => page.innerText('body')).toContain('Nothing was done')
  await page.goto(neighbourly())
  const read = (path: string) =>
    page.evaluate(`fetch('${origin}${path}', { credentials: 'include' }).then(() => 'read', () => 'refused')`)
  expect([await read('/'), await read('/v1/events')]).toEqual(['refused', 'refused'])
  // What is sent blindly arrives, and is refused there.
  await page.evaluate(
    `fetch('${origin}/pools/openai/park', { method: 'POST', mode: 'no-cors', credentials: 'include', body: new URLSearchParams({ member: 'work' }) }).catch(() => null)`,
  )
  markup = `<iframe src="${origin}/"></iframe>`
  await page.goto(neighbourly())
  expect(
    await page
      .frames()[1]
      ?.evaluate('document.body?.innerText ?? ""')
      .catch(() => ''),
  ).not.toContain('openai')
  expect(await parks()).toBe(0)
  await context.close()
})

it('a name that was made to resolve to this machine is refused', async () => {
  const { page, context, origin } = await enter(spillway, browser)
  const rebound = `http://${reboundHost}:${new URL(origin).port}/`
  expect((await page.goto(rebound))?.status()).toBe(421)
  expect(await page.innerText('body')).toContain('does not name this page')
  await context.close()
})
