import { setTimeout as pause } from 'node:timers/promises'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Installation } from '../fakes/rig/installation.ts'
import { card, enter, startBrowser, viewed } from './browser.ts'

const perTick = 20
const ticks = 300
const tickMs = 10

let browser: Browser
let spillway: Installation

beforeAll(async () => {
  browser = await startBrowser()
  spillway = await viewed()
  const members = Array.from({ length: 100 }, (_, at) => `m${at}`)
  for (const member of members) await spillway.credential(member)
  for (let pool = 0; pool < 10; pool++)
    await spillway.ops.poolCreate({ name: `p${pool}`, provider: 'openai', members, upstream: spillway.upstream.url })
})
afterAll(async () => {
  await browser.close()
  await spillway.close()
})

/** An event as the daemon tells it; what it says is of no matter here. */
function told(at: number) {
  const detail = { until: null, status: 429 }
  const rest = { at, from: 'm1', to: 'm2', reason: 'rate-limited', actor: 'upstream', detail } as const
  return { event: { kind: 'cred_failover', pool: 'p1', ...rest }, seq: null, suppressed: 0 } as const
}

it('at thousands of events the page asks a few times a second, only for what differs, and is up to date at the end', async () => {
  const { page, context, errors } = await enter(spillway, browser)
  // Cards that are out of sight are not laid out.
  await expect.poll(() => card(page, 'p9').textContent()).toContain('m0')
  const asked: string[] = []
  page.on('request', (request) => void asked.push(request.url()))
  const began = performance.now()
  for (let tick = 0; tick < ticks; tick++) {
    for (let event = 0; event < perTick; event++) spillway.daemon.core.bus.publish(told(Date.now()))
    await pause(tickMs)
  }
  const seconds = (performance.now() - began) / 1_000
  expect(asked.length).toBeGreaterThan(1)
  expect(asked.length).toBeLessThanOrEqual(seconds * 4 + 2)
  await spillway.ops.poolRotate({ name: 'p9', to: 'm7' })
  await expect.poll(() => card(page, 'p9').textContent()).toMatch(/m7\s*serves/)
  expect(errors).toEqual([])
  await context.close()
})
