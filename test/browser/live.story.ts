import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { relayTo } from '../fakes/relay.ts'
import type { Installation } from '../fakes/rig/installation.ts'
import { card, enter, memberRow, startBrowser, viewed } from './browser.ts'
import { limited, well } from './scene.ts'

let browser: Browser
let spillway: Installation

beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser.close())
beforeEach(async () => {
  spillway = await viewed()
  await spillway.pool('openai', ['work', 'personal'])
  await spillway.ask()
})
afterEach(() => spillway.close())

it('shows incident 1 as it goes on: who is out until when and why, who serves instead, and that it is over', async () => {
  const { page, context, errors } = await enter(spillway, browser)
  const { upstream, ops } = spillway
  const text = (part: { innerText(): Promise<string> }) => part.innerText().then((said) => said.replace(/\s+/g, ' '))
  const pool = card(page, 'openai')
  const work = memberRow(page, 'openai', 'work')
  const personal = memberRow(page, 'openai', 'personal')
  await page.evaluate('document.body.dataset.loaded = "once"')
  await expect.poll(() => text(pool)).toContain('work serves')

  // The operator puts one aside; the other one then reaches its limit: the healthy one serves again, though parked.
  await ops.poolRotate({ name: 'openai' })
  await expect.poll(() => text(pool)).toContain('personal serves')
  await expect.poll(() => text(work)).toMatch(/parked until \d\d:\d\d:\d\d \S+, in (4|5) min/)
  upstream.on('sk-personal').always(limited(1_260))
  await spillway.ask()
  await expect.poll(() => text(pool)).toContain('work serves')
  await expect.poll(() => text(personal)).toMatch(/cooling rate limited, back \d\d:\d\d:\d\d \S+, in (20|21) min/)
  await expect.poll(() => page.locator('#said').textContent()).toContain('openai: work serves')

  // It reaches its limit as well: nobody is left, until the first of them may serve again.
  upstream.on('sk-work').always(limited(6))
  await spillway.ask()
  await expect.poll(() => text(pool)).toMatch(/exhausted, back \d\d:\d\d:\d\d \S+, in [1-6] s/)
  await expect.poll(() => text(work)).toMatch(/cooling rate limited/)
  await expect.poll(() => text(page.locator('.alerts'))).toContain('openai is exhausted')
  await expect.poll(() => text(page.getByRole('navigation', { name: 'Pages' }))).toMatch(/Incidents 1/)
  const left = await text(pool.locator('.headline time'))
  await expect.poll(() => text(pool.locator('.headline time'))).not.toBe(left)

  upstream.on('sk-work').always(well)
  await expect.poll(async () => (await spillway.ask()).status).toBe(200)
  await expect.poll(() => text(pool)).toContain('work serves')
  await expect.poll(() => page.locator('.alerts').count()).toBe(0)

  expect(await page.evaluate('document.body.dataset.loaded')).toBe('once')
  await page.goto(`${new URL(page.url()).origin}/incidents`)
  expect(await text(page.locator('[data-part="closed"]'))).toContain('openai: exhausted')
  expect(errors).toEqual([])
  await context.close()
})

it('says when the connection is lost, and comes back by itself with what happened meanwhile', async () => {
  const relay = await relayTo(Number(new URL((await spillway.ops.webLink({})).url).port))
  const { page, context } = await enter(spillway, browser, { port: relay.port })
  const connection = page.locator('#connection')
  await expect.poll(() => card(page, 'openai').innerText()).toContain('work serves')
  relay.cut()
  await expect.poll(() => connection.innerText()).toContain('The connection to spillway is lost')
  await spillway.ops.poolRotate({ name: 'openai' })
  expect(await card(page, 'openai').innerText()).toContain('work serves')
  relay.restore()
  await expect.poll(() => card(page, 'openai').innerText()).toContain('personal serves')
  await expect.poll(() => connection.textContent()).toBe('')
  await context.close()
  await relay.close()
})

it('says when the session is over, and asks for nothing more', async () => {
  const { page, context, origin } = await enter(spillway, browser)
  await expect.poll(() => card(page, 'openai').innerText()).toContain('work serves')
  const other = await context.newPage()
  await other.goto(origin)
  await other.getByRole('button', { name: 'Sign out' }).click()
  await expect.poll(() => other.innerText('body')).toContain('spillway web')
  await expect.poll(() => page.innerText('#connection')).toContain('Your session is over')
  await context.close()
})
