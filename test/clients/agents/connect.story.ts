/** `spillway connect` with the real clients: on an empty home, and on one with a configuration. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Program, type Ran } from '../../fakes/rig/program.ts'
import { type FakeUpstream, fakeUpstream } from '../../fakes/upstream/upstream.ts'
import { connected } from './connected.ts'
import { driveIn, endHome, newHome } from './drive.ts'
import { installed } from './programs.ts'

const folder = installed()
const greeting = 'Hello from the fake upstream.'
let spillway: Program
let upstream: FakeUpstream
let key: string

beforeAll(async () => {
  spillway = new Program()
  upstream = await fakeUpstream()
  await spillway.serve()
  for (const provider of ['openai', 'anthropic', 'gemini']) {
    await spillway.ops.credAdd({ name: provider, provider, source: { kind: 'vault', secret: `sk-${provider}` } })
    await spillway.ops.poolCreate({ name: provider, provider, members: [provider], upstream: upstream.url })
  }
  key = (await spillway.ops.keyShow({ name: 'local' })).key
})

afterAll(async () => {
  spillway.close()
  await upstream.close()
})

describe.each(connected)('$name', ({ name, pool, words, start, existing, adds = null }) => {
  const connect = (home: string, ...more: string[]): Promise<Ran> =>
    spillway.run(['connect', name, ...more], { env: { HOME: home } })

  it.each([
    ['an empty home', {}],
    ['a home in which it has been used', existing],
  ])('is served from %s with nothing else done, until that is taken back', async (_name, files) => {
    const home = newHome(files)
    try {
      const { code, stdout, stderr } = await connect(home, ...words)
      expect([code, stderr]).toEqual([0, expect.stringContaining(`a request through ${pool} was answered (200)`)])
      expect(stdout + stderr).not.toContain(key)
      upstream.forget()
      const drove = await driveIn(home, start, { folder, deadlineMs: 120_000 })
      expect([drove.code, drove.shown]).toEqual([0, expect.stringContaining(greeting)])
      expect(new Set(upstream.served)).toEqual(new Set([`sk-${pool}`]))
      expect(await connect(home, '--undo')).toMatchObject({ code: 0 })
      for (const path of Object.keys(existing)) {
        const text = existsSync(join(home, path)) ? readFileSync(join(home, path), 'utf8') : null
        expect([path, text]).toEqual([path, files[path as keyof typeof files] ?? adds])
      }
    } finally {
      endHome(home)
    }
  })
})
