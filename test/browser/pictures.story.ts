import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Installation } from '../fakes/rig/installation.ts'
import { root } from '../support/citations.ts'
import { enter, startBrowser, viewed } from './browser.ts'
import { ordinaryDay } from './scene.ts'

/** Where pictures go: those of the README with SPILLWAY_PICTURES, to look at otherwise. */
const folder = process.env.SPILLWAY_PICTURES ?? join(root, 'node_modules/.cache/pictures')

let browser: Browser
let spillway: Installation

beforeAll(async () => {
  mkdirSync(folder, { recursive: true })
  browser = await startBrowser()
  spillway = await viewed()
  await ordinaryDay(spillway)
})
afterAll(async () => {
  await browser.close()
  await spillway.close()
})

const pages = [
  ['pools', '/'],
  ['pool', '/pools/openai'],
  ['incidents', '/incidents'],
  ['audit', '/audit'],
  ['guard', '/guard'],
  ['keys', '/keys'],
  ['fleet', '/fleet'],
  ['settings', '/settings'],
] as const

it.each([
  [1280, 'light'],
  [1280, 'dark'],
  [360, 'light'],
  [360, 'dark'],
] as const)('pictures at %i px, %s', async (width, colorScheme) => {
  const { page, context, errors } = await enter(spillway, browser, { viewport: { width, height: 800 }, colorScheme })
  const origin = new URL(page.url()).origin
  for (const [name, path] of pages) {
    await page.goto(`${origin}${path}`)
    await page.screenshot({
      path: join(folder, `${name}-${width}-${colorScheme}.png`),
      fullPage: name !== 'settings' && name !== 'audit',
    })
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0)
  }
  await page.goto(`${origin}/pools/openai/park?member=personal`)
  await page.screenshot({ path: join(folder, `question-${width}-${colorScheme}.png`) })
  expect(errors).toEqual([])
  await context.close()
})
