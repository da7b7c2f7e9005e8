import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Installation, installation } from '../fakes/rig/installation.ts'
import { type } from '../fakes/rig/terminal.ts'

let spillway: Installation

beforeAll(async () => {
  // Not even this machine itself is allowed.
  spillway = await installation({ config: { 'upstream.allowPrivate': '192.168.7.0/24' } })
  await spillway.credential('work')
})

afterAll(() => spillway.close())

const addresses = [
  'http://169.254.169.254/latest/meta-data',
  'http://[fe80::1]/v1',
  'http://[::ffff:169.254.169.254]/v1',
  'http://2852039166/v1',
  'http://0xa9.0xfe.0xa9.0xfe/v1',
  'http://metadata.google.internal/computeMetadata',
  'http://10.0.0.1/v1',
  'http://100.100.100.200/v1',
  'http://0.0.0.0/v1',
]

describe('A23: an upstream at a private or metadata address', () => {
  it.each(addresses)('%s is refused for a credential', async (url) => {
    const ran = await type(spillway, ['cred', 'add', 'x', '--provider', 'openai', '--base-url', url], 'sk-x\n')
    expect(ran.code).toBe(2)
    expect(ran.stderr).toMatch(/private|link-local|metadata/)
    expect((await spillway.ops.credList({})).map(({ name }) => name)).toEqual(['work'])
  })

  it.each(addresses)('%s is refused for a pool, by command, setting and file', async (url) => {
    const created = ['pool', 'create', 'x', '--provider', 'openai', '--members', 'work', '--upstream', url]
    expect((await type(spillway, created)).code).toBe(2)
    writeFileSync(
      join(spillway.data, 'x.yaml'),
      `pools:\n  x:\n    provider: openai\n    members: [work]\n    upstream: ${url}\n`,
    )
    expect((await type(spillway, ['apply', 'x.yaml'])).code).toBe(2)
    expect(await spillway.ops.poolList({})).toEqual([])
  })

  it('is taken when its network is allowed on purpose', async () => {
    const url = 'http://192.168.7.9:1'
    const created = ['pool', 'create', 'allowed', '--provider', 'openai', '--members', 'work', '--upstream', url]
    expect((await type(spillway, created)).code).toBe(0)
    await spillway.ops.poolDelete({ name: 'allowed' })
  })

  it('behind a name is refused at each connection, so that rebinding the name later does not help', async () => {
    const upstream = `http://localhost:${spillway.upstream.port}`
    await spillway.ops.poolCreate({ name: 'named', provider: 'openai', members: ['work'], upstream })
    const seen = await spillway.ask('named')
    expect([502, 503]).toContain(seen.status)
    expect(spillway.upstream.connections).toBe(0)
    const { members } = await spillway.ops.poolStatus({ name: 'named' })
    expect(members[0]?.health.state).toBe('healthy')
    await spillway.ops.poolDelete({ name: 'named' })
  })
})
