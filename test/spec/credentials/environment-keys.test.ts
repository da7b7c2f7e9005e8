import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { poolsFromEnvironment } from '../../../internal/app/commands/first.ts'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { Program } from '../../fakes/rig/program.ts'
import { answer } from '../../fakes/upstream/upstream.ts'

const refused = answer(401, {}, { error: { code: 'invalid_api_key', message: 'Incorrect API key provided' } })

let env: Record<string, string>
let spillway: Installation

beforeEach(async () => {
  env = {}
  spillway = await installation({ env })
})

afterEach(() => spillway.close())

/** Starts it anew as `serve` does, with these variables in place of the earlier ones. */
async function start(variables: Record<string, string>) {
  for (const name of Object.keys(env)) delete env[name]
  Object.assign(env, variables)
  await spillway.restart()
  const found = await poolsFromEnvironment(spillway.ops, env, spillway.daemon.core.credentials.changedVariables())
  if ((await spillway.ops.poolList({})).length > 0)
    await spillway.ops.poolSet({ name: 'openai', set: { upstream: spillway.upstream.url } })
  return found
}

async function members() {
  const { members } = await spillway.ops.poolStatus({ name: 'openai' })
  return members.map(({ name, health }) => `${name} ${health.state}`)
}

/** Asks until each member has served; returns the secrets that the upstream saw. */
async function secretsSeen(): Promise<string[]> {
  await spillway.ops.poolSet({ name: 'openai', set: { strategy: 'round-robin' } })
  spillway.upstream.forget()
  for (const _ of await members()) expect(await spillway.ask()).toMatchObject({ status: 200 })
  return [...new Set(spillway.upstream.served)].sort()
}

/** Has the member's key refused for good. */
async function die(secret: string): Promise<void> {
  spillway.upstream.on(secret).always(refused)
  await spillway.ask()
  await spillway.advance(3_000)
}

describe('keys that the first start finds in a variable', () => {
  it('are kept sealed, so that the second start without the variable serves', async () => {
    const found = await start({ OPENAI_API_KEY: 'sk-a,sk-b' })
    expect(found).toEqual({ notes: ['2 keys of OPENAI_API_KEY are now kept sealed (pool openai)'], warnings: [] })
    expect(await start({})).toEqual({ notes: [], warnings: [] })
    expect(await members()).toEqual(['openai-1 healthy', 'openai-2 healthy'])
    expect(await secretsSeen()).toEqual(['sk-a', 'sk-b'])
    expect(spillway.daemon.core.credentials.problems()).toEqual([])
  })

  it('are another pair when the variable is changed, and that pair is kept then', async () => {
    await start({ OPENAI_API_KEY: 'sk-a,sk-b' })
    await start({ OPENAI_API_KEY: 'sk-c,sk-b' })
    expect(await secretsSeen()).toEqual(['sk-b', 'sk-c'])
    await start({})
    expect(await secretsSeen()).toEqual(['sk-b', 'sk-c'])
  })

  it.each([
    ['commas', 'sk-a,sk-b'],
    ['line ends', 'sk-a\nsk-b\n'],
    ['quotes of an env file', '"sk-a","sk-b"'],
  ])('become two members when a second one joins them with %s', async (_name, value) => {
    await start({ OPENAI_API_KEY: 'sk-a' })
    const { notes } = await start({ OPENAI_API_KEY: value })
    expect(notes).toEqual(['one key that OPENAI_API_KEY holds besides joins the pool openai and is now kept sealed'])
    expect(await members()).toEqual(['openai healthy', 'openai-2 healthy'])
    expect(await secretsSeen()).toEqual(['sk-a', 'sk-b'])
  })

  it('do not come back when an operator has removed one and the variable is as it was', async () => {
    await start({ OPENAI_API_KEY: 'sk-a,sk-b' })
    await spillway.ops.credRemove({ name: 'openai-2', force: true })
    await start({ OPENAI_API_KEY: 'sk-a,sk-b' })
    expect(await members()).toEqual(['openai-1 healthy'])
  })

  it('give way to one that an operator puts in their place, until the variable is changed', async () => {
    await start({ OPENAI_API_KEY: 'sk-a' })
    await spillway.ops.credReplace({ name: 'openai', secret: 'sk-mine' })
    expect(await secretsSeen()).toEqual(['sk-mine'])
    await start({ OPENAI_API_KEY: 'sk-a' })
    expect(await secretsSeen()).toEqual(['sk-mine'])
    await start({ OPENAI_API_KEY: 'sk-new' })
    expect(await secretsSeen()).toEqual(['sk-new'])
  })

  it('are out, and say so, when the variable holds fewer now', async () => {
    await start({ OPENAI_API_KEY: 'sk-a,sk-b' })
    await start({ OPENAI_API_KEY: 'sk-a' })
    await spillway.advance(100)
    expect(await members()).toEqual(['openai-1 healthy', 'openai-2 unreadable'])
    const { problem } = await spillway.ops.credShow({ name: 'openai-2' })
    expect(problem).toBe('the environment variable OPENAI_API_KEY has no value number 2: it holds one key')
  })
})

describe('a key that the upstream has refused for good', () => {
  it.each([
    ['a kept one', true],
    ['a reference', false],
  ])('is another key, and healthy, when its variable was changed: %s', async (_name, kept) => {
    await start({ KEY: 'sk-dead' })
    await spillway.ops.credAdd({ name: 'work', provider: 'openai', source: { kind: 'env', variable: 'KEY', kept } })
    await spillway.ops.poolCreate({
      name: 'openai',
      provider: 'openai',
      members: ['work'],
      upstream: spillway.upstream.url,
    })
    await die('sk-dead')
    expect(await members()).toEqual(['work disabled'])
    await start({ KEY: 'sk-dead' })
    await spillway.advance(100)
    expect(await members()).toEqual(['work disabled'])
    await start({ KEY: 'sk-new' })
    await spillway.advance(100)
    expect(await members()).toEqual(['work healthy'])
    expect(await secretsSeen()).toEqual(['sk-new'])
  })
})

describe('what cannot be a key of the upstream', () => {
  it('is told of at the start, and makes no pool', async () => {
    expect(await start({ OPENAI_API_KEY: 'sk-a sk-b' })).toEqual({
      notes: [],
      warnings: [
        'the environment variable OPENAI_API_KEY holds a blank: give the key alone, several with commas between them',
      ],
    })
    expect(await spillway.ops.poolList({})).toEqual([])
  })

  it('is a client key of spillway itself, as `env` leaves it in a shell: the sealed keys go on serving', async () => {
    const clientKey = spillway.key
    expect((await start({ OPENAI_API_KEY: clientKey })).warnings).toEqual([
      'OPENAI_API_KEY holds a client key of spillway itself, which no upstream knows: unset it here',
    ])
    expect(await spillway.ops.credList({})).toEqual([])
    await start({ OPENAI_API_KEY: 'sk-a' })
    await start({ OPENAI_API_KEY: clientKey })
    expect(await secretsSeen()).toEqual(['sk-a'])
    const { problem } = await spillway.ops.credShow({ name: 'openai' })
    expect(problem).toContain('holds a client key of spillway itself; the key that is kept sealed goes on serving')
  })

  it.each(['vault', 'env', 'file', 'command'] as const)('is a client key from a %s', async (kind) => {
    await start({ KEY: spillway.key })
    const source = {
      vault: { kind, secret: `"${spillway.key}"` },
      env: { kind, variable: 'KEY' },
      file: { kind, path: `${spillway.data}/key.txt`, format: 'key' },
      command: { kind, command: `echo ${spillway.key}` },
    }[kind] as { kind: 'vault'; secret: string }
    const { writeFileSync } = await import('node:fs')
    writeFileSync(`${spillway.data}/key.txt`, spillway.key, { mode: 0o600 })
    const added = spillway.ops.credAdd({ name: 'x', provider: 'openai', source })
    if (kind === 'vault') return expect(added).rejects.toThrow('that is a client key of spillway itself')
    await added
    await spillway.ops.poolCreate({
      name: 'openai',
      provider: 'openai',
      members: ['x'],
      upstream: spillway.upstream.url,
    })
    expect((await spillway.ask()).status).not.toBe(200)
    expect((await spillway.ops.credShow({ name: 'x' })).problem).toMatch(/holds a client key of spillway itself$/)
    expect(spillway.upstream.requests).toEqual([])
  })
})

describe('the program', () => {
  it('started a second time in a shell without the variable has the keys of its first start', async () => {
    const program = new Program()
    const first = await program.serve({ OPENAI_API_KEY: 'sk-first,sk-second' })
    first.process.kill('SIGTERM')
    expect((await first.ended).stdout).toContain('2 keys of OPENAI_API_KEY are now kept sealed')
    await program.serve()
    const members = (await program.ops.poolStatus({ name: 'openai' })).members
    expect(members.map(({ health }) => health.state)).toEqual(['healthy', 'healthy'])
    program.close()
  })
})
