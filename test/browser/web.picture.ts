import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, it } from 'vitest'
import type { Installation } from '../fakes/rig/installation.ts'
import { root } from '../support/citations.ts'
import { enter, startBrowser, viewed } from './browser.ts'
import { ordinaryDay } from './scene.ts'

const folder = join(root, 'docs/images')

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

it.each([
  ['web-pools', '/', 1_200, 'light'],
  ['web-pool', '/pools/openai', 1_200, 'dark'],
] as const)('%s.png', async (name, path, width, colorScheme) => {
  const { page, context, origin } = await enter(spillway, browser, { viewport: { width, height: 860 }, colorScheme })
  await page.goto(`${origin}${path}`)
  await page.screenshot({ path: join(folder, `${name}.png`) })
  await context.close()
})
