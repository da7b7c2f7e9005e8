import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AxeResults } from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Installation } from '../fakes/rig/installation.ts'
import { enter, startBrowser, viewed } from './browser.ts'
import { ordinaryDay } from './scene.ts'

/** Where pictures go, to look at. */
const folder = join(tmpdir(), 'spillway-pictures')
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

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
  ['windows', '/pools/claude'],
  ['incidents', '/incidents'],
  ['audit', '/audit?verify=1'],
  ['guard', '/guard'],
  ['keys', '/keys'],
  ['fleet', '/fleet'],
  ['settings', '/settings'],
  ['question', '/pools/openai/park?member=personal'],
  ['refused', '/pools/nothing'],
] as const

/** What axe has against the page as it is now, each with the first place of it. */
async function faults(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const { violations } = (await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')) as Pick<
    AxeResults,
    'violations'
  >
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`)
}

it.each([
  [1280, 'light'],
  [1280, 'dark'],
  [360, 'light'],
  [360, 'dark'],
] as const)(
  'every page at %i px, %s: nothing to scroll sideways, and nothing that axe finds',
  async (width, colorScheme) => {
    const { page, context, origin, errors } = await enter(spillway, browser, {
      viewport: { width, height: 800 },
      colorScheme,
      reducedMotion: 'reduce',
    })
    const found: Record<string, unknown> = {}
    for (const [name, path] of pages) {
      await page.goto(`${origin}${path}`)
      await page.evaluate('for (const each of document.querySelectorAll("details")) each.open = true')
      const fullPage = name !== 'settings' && name !== 'audit'
      await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage })
      const tooWide = await page.evaluate('document.documentElement.scrollWidth > innerWidth')
      const against = await faults(page)
      if (tooWide || against.length > 0) found[name] = { tooWide, against }
    }
    await page.goto(origin)
    await page.getByRole('link', { name: 'Rotate openai' }).click()
    await page.getByRole('dialog').waitFor()
    await page.screenshot({ path: join(folder, `dialog-${width}-${colorScheme}.png`) })
    const against = await faults(page)
    if (against.length > 0) found.dialog = against
    expect(found).toEqual({})
    // What does not exist is refused, and the browser notes that by itself.
    expect(errors.filter((text) => !text.includes('404'))).toEqual([])
    await context.close()
  },
)
