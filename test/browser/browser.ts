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

/** A name that somebody else has made to resolve to this machine. */
export const reboundHost = 'rebound.example'

/** Starts the browser; the caller closes it. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: executable(),
    // Where there is no user namespace, such as in containers, its sandbox cannot start; it sees our own pages only.
    args: ['--no-sandbox', '--disable-gpu', `--host-resolver-rules=MAP ${reboundHost} 127.0.0.1`],
  })
}

/** A whole spillway with its web view, on the real clock. */
export function viewed(setting: Setting = {}): Promise<Installation> {
  const config = { 'web.listen': '127.0.0.1:0', 'pools.maxWaitMs': '0', ...setting.config }
  return installation({ clock: systemClock(), ...setting, config })
}

/** Somebody in front of a page. */
export interface Viewer {
  readonly page: Page
  readonly context: BrowserContext
  /** Where the web view is, without a slash at the end. */
  readonly origin: string
  /** What went wrong in the page. */
  readonly errors: string[]
}

/** A page of somebody who was let in; `port` is another way to the web view, such as a relay. */
export async function enter(
  spillway: Installation,
  browser: Browser,
  { port, ...options }: BrowserContextOptions & { port?: number } = {},
): Promise<Viewer> {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  const url = new URL((await spillway.ops.webLink({})).url)
  if (port !== undefined) url.port = String(port)
  await page.goto(url.href)
  return { page, context, origin: url.origin, errors }
}

/** The row of a member. */
export function memberRow(page: Page, pool: string, member: string) {
  return page.locator(`[id="m-${pool}-${member}"]`)
}

/** The card of a pool. */
export function card(page: Page, pool: string) {
  return page.locator(`[data-part="pool-${pool}"]`)
}
