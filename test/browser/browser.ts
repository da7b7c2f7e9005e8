import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { systemClock } from '../../internal/clock/clock.ts'
import { type Installation, installation, type Setting } from '../fakes/rig/installation.ts'

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** The browser of this machine: `SPILLWAY_CHROMIUM`, or where packages put it. */
function executable(): string {
  const found = process.env.SPILLWAY_CHROMIUM ?? places.find((path) => existsSync(path))
  if (found === undefined)
    throw new Error('no Chromium here: apt-get install chromium, or name one in SPILLWAY_CHROMIUM')
  return found
}

/** Starts the browser; the caller closes it. */
export function startBrowser(): Promise<Browser> {
  // Where there is no user namespace, such as in containers, its sandbox cannot start; it sees our own pages only.
  return chromium.launch({ executablePath: executable(), args: ['--no-sandbox', '--disable-gpu'] })
}

/** A whole spillway with its web view, on the real clock. */
export function viewed(setting: Setting = {}): Promise<Installation> {
  const config = { 'web.listen': '127.0.0.1:0', 'pools.maxWaitMs': '0', ...setting.config }
  return installation({ clock: systemClock(), ...setting, config })
}

/** A page of somebody who was let in, which notes what went wrong in it. */
export async function enter(
  spillway: Installation,
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; context: BrowserContext; errors: string[] }> {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  const { url } = await spillway.ops.webLink({})
  await page.goto(url)
  return { page, context, errors }
}
