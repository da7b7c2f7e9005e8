import { afterEach, describe, expect, it } from 'vitest'
import { type Rig, type RigOptions, startRig } from '../../../test/fakes/rig/rig.ts'
import { answer, reset } from '../../../test/fakes/upstream/upstream.ts'

let rig: Rig

async function start(options: RigOptions = {}): Promise<void> {
  rig = await startRig(options)
}

afterEach(() => rig.close())

const page = { origin: 'http://app.example' }
const readable = { 'access-control-allow-origin': '*', 'access-control-expose-headers': '*' }
const usedUp = answer(429, { 'retry-after': '600' }, { error: { code: 'insufficient_quota' } })

describe('a page in a browser can read', () => {
  it('that its key is not known', async () => {
    await start()
    expect(await rig.ask({ headers: page, key: 'wrong' })).toMatchObject({ status: 401, headers: readable })
  })

  it('that there is no such pool', async () => {
    await start()
    const response = await fetch(`http://127.0.0.1:${rig.port}/none/v1/models`, { headers: page })
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([404, '*'])
  })

  it('when an exhausted pool serves again, from the request that found out and from those after it', async () => {
    await start()
    rig.upstream.on('*').always(usedUp)
    for (let times = 0; times < 2; times++) {
      const { status, headers, text } = await rig.ask({ headers: page })
      expect([status, text]).toEqual([429, expect.stringContaining('quota exceeded: ')])
      expect(headers).toMatchObject(readable)
    }
  })

  it('that the upstream cannot be reached', async () => {
    await start({ members: ['a'] })
    rig.upstream.on('key-a').always(reset)
    expect(await rig.ask({ headers: page })).toMatchObject({ status: 502, headers: readable })
  })
})

describe('the headers for that', () => {
  it('are not on an answer to what is no page', async () => {
    await start()
    expect((await rig.ask({ key: 'wrong' })).headers).not.toHaveProperty('access-control-allow-origin')
  })

  it("are the upstream's own on an answer of the upstream", async () => {
    await start()
    rig.upstream.on('key-a').always(answer(200, { 'access-control-allow-origin': 'http://app.example' }, {}))
    const { headers } = await rig.ask({ headers: page })
    expect(headers).toMatchObject({ 'access-control-allow-origin': 'http://app.example' })
    expect(headers).not.toHaveProperty('access-control-expose-headers')
  })
})
