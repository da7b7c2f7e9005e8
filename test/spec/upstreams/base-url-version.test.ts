import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Installation, installation } from '../../fakes/rig/installation.ts'

let spillway: Installation

beforeAll(async () => {
  spillway = await installation()
  await spillway.credential('own', { baseUrl: `${spillway.upstream.url}/v1` })
  await spillway.ops.poolCreate({ name: 'own', provider: 'openai', members: ['own'] })
  await spillway.credential('shared')
  const upstream = `${spillway.upstream.url}/openai/v1`
  await spillway.ops.poolCreate({ name: 'shared', provider: 'openai', members: ['shared'], upstream })
})

afterAll(() => spillway.close())

/** The targets that the upstream sees while `act` runs. */
async function seen(act: () => Promise<unknown>): Promise<string[]> {
  spillway.upstream.forget()
  await act()
  return spillway.upstream.requests.map(({ target }) => target)
}

function post(path: string) {
  const headers = { authorization: `Bearer ${spillway.key}`, 'content-type': 'application/json' }
  return spillway.send(path, { method: 'POST', headers, body: '{"model":"gpt-5","messages":[]}' })
}

describe('a base URL that ends in a version', () => {
  it.each([
    ['/own/v1/chat/completions?a=%2F', '/v1/chat/completions?a=%2F'],
    ['/own/chat/completions', '/v1/chat/completions'],
    ['/shared/v1/responses', '/openai/v1/responses'],
    ['/shared/responses', '/openai/v1/responses'],
  ])('has it once upstream, whether clients send it or not: %s', async (path, target) => {
    expect(await seen(() => post(path))).toEqual([target])
  })

  it.each([
    ['own', '/v1/models'],
    ['shared', '/openai/v1/models'],
  ])('is probed where traffic goes: %s', async (name, target) => {
    expect(await seen(() => spillway.ops.credTest({ name }))).toEqual([target])
  })
})
