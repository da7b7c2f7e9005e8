import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { answer } from '../../fakes/upstream/upstream.ts'

const refused = answer(401, {}, { error: { code: 'invalid_api_key', message: 'Incorrect API key provided' } })

let spillway: Installation

beforeEach(async () => {
  spillway = await installation()
  spillway.upstream.on('sk-old').always(refused)
})

afterEach(() => spillway.close())

function put(key: string): void {
  writeFileSync(join(spillway.data, 'key.txt'), `${key}\n`, { mode: 0o600 })
}

async function pool(kind: 'command' | 'file'): Promise<void> {
  const path = join(spillway.data, 'key.txt')
  const source = kind === 'file' ? { kind, path, format: 'key' } : { kind, command: `cat ${path}` }
  await spillway.ops.credAdd({ name: 'work', provider: 'openai', source })
  await spillway.ops.poolCreate({
    name: 'openai',
    provider: 'openai',
    members: ['work'],
    upstream: spillway.upstream.url,
  })
}

async function health(): Promise<string> {
  return (await spillway.ops.credShow({ name: 'work' })).health.state
}

describe('a key that a command prints', () => {
  it('is asked for again when it is refused: the one that took its place serves', async () => {
    put('sk-first')
    await pool('command')
    expect(await spillway.ask()).toMatchObject({ status: 200 })
    await spillway.advance(60_000)
    put('sk-new')
    spillway.upstream.on('sk-first').always(refused)
    await spillway.ask()
    await expect.poll(health).toBe('healthy')
    expect(await spillway.ask()).toMatchObject({ status: 200 })
    expect(spillway.upstream.served.at(-1)).toBe('sk-new')
  })

  it('is asked for again by `cred enable`', async () => {
    put('sk-old')
    await pool('command')
    await spillway.ask()
    await expect.poll(health).toBe('disabled')
    put('sk-new')
    expect(await spillway.ops.credEnable({ name: 'work' })).toEqual({ name: 'work', changed: true })
    expect(await spillway.ask()).toMatchObject({ status: 200 })
    expect(spillway.upstream.served.at(-1)).toBe('sk-new')
  })
})

describe.each(['command', 'file'] as const)('a key from a %s that was refused for good', (kind) => {
  it('is another key when it was replaced while spillway did not run', async () => {
    put('sk-old')
    await pool(kind)
    await spillway.ask()
    await expect.poll(health).toBe('disabled')
    await spillway.restart()
    expect(await health()).toBe('disabled')
    await spillway.stop()
    put('sk-new')
    await spillway.start()
    if (kind === 'command') await spillway.ops.credTest({ name: 'work' })
    await expect.poll(health).toBe('healthy')
    expect(await spillway.ask()).toMatchObject({ status: 200 })
  })
})

describe('a healthy key', () => {
  const rows = async () =>
    (await spillway.audit('cred_replaced')).map(({ from, pool, actor, detail }) => ({ from, pool, actor, detail }))

  it('that is another one in its file gets an audit row, with the file unchanged none', async () => {
    put('sk-one')
    await pool('file')
    expect(await spillway.ask()).toMatchObject({ status: 200 })
    await spillway.restart()
    expect(await rows()).toEqual([])
    await spillway.stop()
    put('sk-two')
    await spillway.start()
    await expect.poll(rows).toEqual([{ from: 'work', pool: 'openai', actor: 'spillway', detail: { source: 'file' } }])
    expect(await spillway.ask()).toMatchObject({ status: 200 })
    expect(spillway.upstream.served.at(-1)).toBe('sk-two')
  })
})
