import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { type FakeUpstream, fakeUpstream } from '../../fakes/upstream/upstream.ts'

let spillway: Installation
const upstreams: Partial<Record<string, FakeUpstream>> = {}

beforeAll(async () => {
  spillway = await installation()
  upstreams['127.0.0.1'] = await fakeUpstream('127.0.0.1')
  upstreams['::1'] = await fakeUpstream('::1')
  await spillway.credential('work')
})

afterAll(async () => {
  for (const upstream of Object.values(upstreams)) await upstream?.close()
  await spillway.close()
})

it.each([
  ['[::1]', '::1'],
  ['localhost', '::1'],
  ['models.localhost', '::1'],
  ['localhost', '127.0.0.1'],
  ['127.0.0.1', '127.0.0.1'],
])(
  'an upstream at %s that listens on %s alone serves without a setting, and its probe reaches it',
  async (host, on) => {
    const upstream = upstreams[on] as FakeUpstream
    upstream.forget()
    const base = `http://${host}:${upstream.port}`
    await spillway.ops.poolCreate({ name: 'local', provider: 'openai', members: ['work'], upstream: base })
    expect(await spillway.ask('local')).toMatchObject({ status: 200 })
    expect(upstream.served).toEqual(['sk-work'])
    expect(await spillway.ops.credTest({ name: 'work' })).toMatchObject({ finding: 'cleared' })
    await spillway.ops.poolDelete({ name: 'local' })
  },
)
