/** A2 and A12: nothing that a client or an upstream says changes where requests go. */
import { afterEach, describe, expect, it } from 'vitest'
import { type Rig, startRig } from '../fakes/rig/rig.ts'
import { answer, type FakeUpstream, fakeUpstream } from '../fakes/upstream/upstream.ts'

let rig: Rig
let evil: FakeUpstream

async function start(): Promise<void> {
  rig = await startRig()
  evil = await fakeUpstream()
}

afterEach(async () => {
  expect(evil.connections).toBe(0)
  expect(evil.requests).toHaveLength(0)
  await evil.close()
  await rig.close()
})

describe('A2: routing by what a client says', () => {
  it.each([
    'x-forwarded-host',
    'x-forwarded-server',
    'x-forwarded-for',
    'x-forwarded-proto',
    'x-original-host',
    'x-original-url',
    'x-rewrite-url',
    'x-host',
    'x-upstream',
    'x-base-url',
    'x-target',
    'x-portkey-custom-host',
    'openai-base-url',
    'forwarded',
    'x-spillway-upstream',
    'destination',
  ])('%s changes nothing', async (name) => {
    await start()
    const { status } = await rig.ask({ headers: { [name]: evil.url } })
    expect(status).toBe(200)
    expect(rig.upstream.served).toEqual(['key-a'])
  })

  it('a base URL in body or query changes nothing', async () => {
    await start()
    const body = { model: 'm', base_url: evil.url, baseURL: evil.url, api_base: evil.url, endpoint: evil.url }
    const { status } = await rig.ask({ body, path: `/v1/chat/completions?base_url=${encodeURIComponent(evil.url)}` })
    expect(status).toBe(200)
    expect(rig.upstream.served).toEqual(['key-a'])
  })

  it('the Host of a request never reaches the upstream', async () => {
    await start()
    const text = await rig.raw(
      `GET /pool/v1/files HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer ${rig.key}\r\nConnection: close\r\n\r\n`,
    )
    expect(text).toContain('200 OK')
    expect(rig.upstream.requests[0]?.headers('host')).toEqual([`127.0.0.1:${rig.upstream.port}`])
  })
})

describe('A12: redirects', () => {
  it.each([301, 302, 303, 307, 308])('%i to another host is passed on, never followed', async (status) => {
    await start()
    rig.upstream.on('key-a').always(answer(status, { location: `${evil.url}/steal` }, ''))
    const got = await rig.ask()
    expect([got.status, got.headers.location]).toEqual([status, `${evil.url}/steal`])
    expect(rig.upstream.served).toEqual(['key-a'])
  })

  it('one that repeats our credential is passed on without it', async () => {
    await start()
    rig.upstream.on('key-a').always(answer(302, { location: `${evil.url}/?token=key-a` }, ''))
    expect((await rig.ask()).headers.location).toBe(`${evil.url}/?token=*****`)
  })
})
