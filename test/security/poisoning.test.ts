/** A10: a client that provokes refusals cannot take members away from the others. */
import { afterEach, describe, expect, it } from 'vitest'
import { type Rig, type RigOptions, startRig } from '../fakes/rig/rig.ts'
import { answer, type Behaviour } from '../fakes/upstream/upstream.ts'

let rig: Rig

async function start(options: RigOptions): Promise<void> {
  rig = await startRig(options)
}

afterEach(() => rig.close())

const members = ['a', 'b', 'c', 'd', 'e', 'f']

/** Refuses whoever asks with the client's own poisonous header, and serves everybody else. */
function poisoned(refusal: Behaviour): Behaviour {
  const ok = answer(200, {}, { ok: true })
  return {
    play: (call) => (call.request.header('x-poison') === null ? ok : refusal).play(call),
  }
}

function unwell(): string[] {
  return members.filter((member) => rig.health(member) !== 'healthy')
}

describe('A10: provoked', () => {
  it.each([
    ['401', answer(401, {}, '')],
    ['403', answer(403, {}, { error: { message: 'forbidden' } })],
    ['429', answer(429, {}, '')],
  ])('bare %s: one request harms at most one member, and nobody is disabled', async (_name, refusal) => {
    await start({ members })
    rig.upstream.on('*').always(poisoned(refusal))
    await rig.ask({ headers: { 'x-poison': '1' } })
    expect(unwell().length).toBeLessThanOrEqual(1)
    await expect.poll(() => rig.upstream.inFlight).toBe(0)
    expect(members.map((member) => rig.health(member))).not.toContain('disabled')
    expect((await rig.ask()).status).toBe(200)
  })

  it('rejections that look explicit disable nobody, because the canonical probe carries no client header', async () => {
    await start({ members })
    const rejection = answer(
      401,
      {},
      { error: { type: 'invalid_request_error', code: 'invalid_api_key', message: 'no' } },
    )
    rig.upstream.on('*').always(poisoned(rejection))
    for (let i = 0; i < 20; i++) await rig.ask({ headers: { 'x-poison': '1', 'openai-organization': 'org-of-others' } })
    await expect.poll(() => rig.upstream.inFlight).toBe(0)
    expect(members.map((member) => rig.health(member))).not.toContain('disabled')
    const probes = rig.upstream.requests.filter(({ isProbe }) => isProbe)
    expect(probes.length).toBeGreaterThan(0)
    for (const probe of probes) {
      expect([probe.header('x-poison'), probe.header('openai-organization')]).toEqual([null, null])
    }
  })

  it('many poisoned requests leave the pool able to serve', async () => {
    await start({ members })
    rig.upstream.on('*').always(poisoned(answer(429, {}, '')))
    for (let i = 0; i < 30; i++) await rig.ask({ headers: { 'x-poison': '1' } })
    expect((await rig.ask()).status).toBe(200)
  })

  it.each([
    ['a malformed body', answer(400, {}, { error: { message: 'invalid JSON' } })],
    ['an unknown model', answer(404, {}, { error: { code: 'model_not_found', message: 'm' } })],
    ['too long a context', answer(400, {}, { error: { code: 'context_length_exceeded', message: 'm' } })],
    ['a policy', answer(403, {}, { error: { code: 'cyber_policy', message: 'm' } })],
    [
      'a request that is too large for the limit',
      answer(429, {}, { error: { code: 'rate_limit_exceeded', message: 'Request too large for gpt-5' } }),
    ],
  ])('%s harms nobody and is not replayed', async (_name, refusal) => {
    await start({ members })
    rig.upstream.on('*').always(poisoned(refusal))
    await rig.ask({ headers: { 'x-poison': '1' } })
    expect(unwell()).toEqual([])
    expect(rig.upstream.served).toHaveLength(1)
  })
})
