import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Installation } from '../fakes/rig/installation.ts'
import { enter, memberRow, startBrowser, viewed } from './browser.ts'
import { limited } from './scene.ts'

let browser: Browser
let spillway: Installation

beforeAll(async () => {
  browser = await startBrowser()
  spillway = await viewed()
  await spillway.pool('openai', ['work', 'personal', 'backup'])
  await spillway.pool('alone', ['only'])
  await spillway.ask()
})
afterAll(async () => {
  await browser.close()
  await spillway.close()
})
beforeEach(async () => {
  for (const member of ['work', 'personal', 'backup']) await spillway.ops.poolUnpark({ name: 'openai', member })
})

const parked = async (member: string) => {
  const { members } = await spillway.ops.poolStatus({ name: 'openai' })
  return members.find(({ name }) => name === member)?.park != null
}
const lastRow = async (kind: string) => (await spillway.audit(kind)).at(-1)

/** Presses a key until what is focused has that name. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press('Tab')
    const focused = await page.evaluate(
      '(document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? "").trim()',
    )
    if (focused === name) return
  }
  throw new Error(`nothing called ${name} is reached with the keyboard`)
}

describe('a verb', () => {
  it('asks one question over the page, says what was done, and is undone with one press', async () => {
    const { page, context, errors } = await enter(spillway, browser)
    await memberRow(page, 'openai', 'backup').getByRole('link', { name: 'Park backup in openai' }).click()
    const dialog = page.getByRole('dialog', { name: 'Park backup in openai?' })
    await dialog.getByLabel('For how long').fill('1h30m')
    await dialog.getByRole('button', { name: 'Park' }).click()
    await expect.poll(() => page.innerText('.flash')).toMatch(/openai: backup parked until .+\s*Undo/)
    expect(await lastRow('member_parked')).toMatchObject({ actor: 'operator:web', from: 'backup' })
    await page.getByRole('button', { name: 'Undo: Unpark backup' }).click()
    await expect.poll(() => page.innerText('.flash')).toContain('openai: backup unparked')
    expect(await parked('backup')).toBe(false)
    expect(errors).toEqual([])
    await context.close()
  })

  it('does nothing when the question is cancelled, by its button, with Escape, or by a click beside it', async () => {
    const { page, context } = await enter(spillway, browser)
    const ask = memberRow(page, 'openai', 'backup').getByRole('link', { name: 'Park backup in openai' })
    const dialog = page.getByRole('dialog')
    for (const away of [
      () => dialog.getByText('Cancel').click(),
      () => page.keyboard.press('Escape'),
      () => page.mouse.click(5, 5),
    ]) {
      await ask.click()
      await expect.poll(() => dialog.isVisible()).toBe(true)
      await away()
      await expect.poll(() => dialog.isVisible()).toBe(false)
    }
    expect(await parked('backup')).toBe(false)
    await context.close()
  })

  it('rotates to whom one chooses, and clears', async () => {
    const { page, context, origin } = await enter(spillway, browser)
    await page.getByRole('link', { name: 'Rotate openai' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Who is to serve').selectOption('personal')
    await dialog.getByRole('button', { name: 'Rotate' }).click()
    await expect.poll(() => page.innerText('.flash')).toContain('openai: work → personal')
    expect(await lastRow('pool_rotated')).toMatchObject({ actor: 'operator:web', to: 'personal' })
    spillway.upstream.on('sk-personal').always(limited(600))
    await spillway.ask()
    await page.goto(`${origin}/pools/openai`)
    await memberRow(page, 'openai', 'personal').getByRole('link', { name: 'Clear personal in openai' }).click()
    await dialog.getByRole('button', { name: 'Clear' }).click()
    await expect.poll(() => page.innerText('.flash')).toContain('openai: personal cleared')
    await context.close()
  })

  it('that fails says so in the words of the command line', async () => {
    const { page, context } = await enter(spillway, browser)
    await memberRow(page, 'openai', 'backup').getByRole('link', { name: 'Park backup in openai' }).click()
    await spillway.ops.poolDrop({ name: 'openai', member: 'backup' })
    await page.getByRole('dialog').getByRole('button', { name: 'Park' }).click()
    const refusal = await spillway.ops.poolPark({ name: 'openai', member: 'backup' }).catch((error: Error) => error)
    await expect.poll(() => page.getByRole('alert').innerText()).toContain((refusal as Error).message)
    await spillway.ops.poolAdd({ name: 'openai', member: 'backup' })
    await context.close()
  })

  it('needs no mouse', async () => {
    const { page, context } = await enter(spillway, browser)
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content')
    await page.keyboard.press('Enter')
    await tabTo(page, 'Park backup in openai')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.getByRole('dialog').isVisible()).toBe(true)
    await page.keyboard.press('Escape')
    await expect
      .poll(() => page.evaluate('document.activeElement?.getAttribute("aria-label")'))
      .toBe('Park backup in openai')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.evaluate('document.activeElement?.getAttribute("name")')).toBe('for')
    await page.keyboard.type('1h')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.innerText('.flash')).toContain('openai: backup parked until')
    await tabTo(page, 'Undo: Unpark backup')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.innerText('.flash')).toContain('openai: backup unparked')
    expect(await parked('backup')).toBe(false)
    await context.close()
  })

  it('needs no script, and neither does reading', async () => {
    const { page, context, origin } = await enter(spillway, browser, { javaScriptEnabled: false })
    expect(await page.innerText('main')).toMatch(
      /does not follow what happens while scripts are off[\s\S]*(work|personal|backup) serves/,
    )
    await page.getByRole('link', { name: 'Park backup in openai' }).click()
    expect(page.url()).toBe(`${origin}/pools/openai/park?member=backup`)
    await page.getByRole('button', { name: 'Park' }).click()
    expect(await page.innerText('.flash')).toContain('openai: backup parked until it is unparked')
    await page.getByRole('button', { name: 'Undo: Unpark backup' }).click()
    expect(await page.innerText('.flash')).toContain('openai: backup unparked')
    for (const path of ['/incidents', '/audit', '/keys', '/settings']) {
      expect((await page.goto(`${origin}${path}`))?.status()).toBe(200)
      expect(await page.innerText('h1')).not.toBe('')
    }
    await context.close()
  })
})
