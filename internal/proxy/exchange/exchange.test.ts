import { createServer } from 'node:https'
import { afterEach, describe, expect, it } from 'vitest'
import { type Rig, type RigOptions, startRig } from '../../../test/fakes/rig/rig.ts'
import { selfSigned } from '../../../test/fakes/upstream/certificate.ts'
import { answer, early, fakeUpstream, reset } from '../../../test/fakes/upstream/upstream.ts'

let rig: Rig

async function start(options: RigOptions = {}): Promise<void> {
  rig = await startRig(options)
}

afterEach(() => rig.close())

const limited = answer(
  429,
  { 'retry-after': '3600' },
  { error: { type: 'requests', code: 'rate_limit_exceeded', message: 'slow down' } },
)
const bare = answer(429, {}, 'slow down')
const badKey = answer(401, {}, { error: { type: 'invalid_request_error', code: 'invalid_api_key', message: 'no' } })
const expired = answer(401, {}, { error: { message: 'expired' } })
const overloaded = answer(503, {}, { error: { type: 'server_error', code: 'server_is_overloaded', message: 'busy' } })
const broken = answer(500, {}, { error: { message: 'oops' } })

describe('a request', () => {
  it('is served with the credential in place of the client key', async () => {
    await start()
    const { status, json, headers } = await rig.ask({ body: { model: 'gpt-5' } })
    expect(status).toBe(200)
    expect(json).toMatchObject({ model: 'gpt-5', object: 'chat.completion' })
    expect(headers).toMatchObject({
      'x-spillway-attempts': '1',
      'x-spillway-request-id': expect.stringMatching(/^.+-1$/),
    })
    expect(headers['x-spillway-member']).toBeUndefined()
    expect(rig.upstream.served).toEqual(['key-a'])
    expect(JSON.stringify(rig.upstream.requests[0])).not.toContain(rig.key)
    expect(rig.counted).toMatchObject({ requests: ['served'], attempts: ['success'], inflight: 0 })
    expect(rig.counted.overheads[0]).toBeGreaterThan(0)
  })

  it('names the member only when that is configured', async () => {
    await start({ exposeMember: true })
    expect((await rig.ask()).headers['x-spillway-member']).toBe('a')
  })

  it('goes below the base path of the upstream, with its own path and query byte for byte', async () => {
    const upstream = await fakeUpstream()
    await start({ baseUrls: { a: `${upstream.url}/base/` } })
    await rig.ask({ path: '/openai%2Fgpt/~a?b=%20&c[]=1&&x' })
    await rig.ask({ path: '?x=1', method: 'GET' })
    await rig.ask({ path: '/v1/models?key=abc&%6bey=2&KEY=3&page=2', method: 'GET' })
    expect(upstream.requests.map(({ target }) => target)).toEqual([
      '/base/openai%2Fgpt/~a?b=%20&c[]=1&&x',
      '/base?x=1',
      '/base/v1/models?page=2',
    ])
    await upstream.close()
  })

  it('reaches the root of an upstream without a path', async () => {
    await start()
    await rig.ask({ path: '', method: 'GET' })
    expect(rig.upstream.requests[0]?.target).toBe('/')
  })

  it('keeps its method, its headers and its body', async () => {
    await start()
    const headers = ['X-Custom', 'One', 'x-custom', 'Two', 'OpenAI-Organization', 'org']
    await rig.ask({ method: 'PUT', path: '/v1/thing', headers, body: 'bytes' })
    const [seen] = rig.upstream.requests
    expect(seen).toMatchObject({ method: 'PUT', body: Buffer.from('bytes') })
    expect(seen?.headers('x-custom')).toEqual(['One', 'Two'])
    expect(seen?.rawHeaders).toContain('OpenAI-Organization')
    expect(seen?.headers('host')).toEqual([`127.0.0.1:${rig.upstream.port}`])
    expect(seen?.rawHeaders.map((name) => name.toLowerCase())).not.toContain('via')
    expect(seen?.rawHeaders.map((name) => name.toLowerCase())).not.toContain('x-forwarded-for')
  })

  it.each(['GET', 'HEAD', 'DELETE', 'PATCH', 'OPTIONS'])('can be a %s', async (method) => {
    await start()
    const { status, headers } = await rig.ask({ method, path: '/v1/files/1' })
    expect(status).toBe(200)
    expect(Number(headers['content-length'])).toBeGreaterThan(0)
    expect(rig.upstream.requests[0]?.method).toBe(method)
  })

  it('gets the answer as it is, without hop-by-hop headers', async () => {
    await start()
    const headers = { 'x-request-id': 'req_1', 'keep-alive': 'timeout=9', 'set-cookie': ['a=1', 'b=2'] }
    rig.upstream.on('key-a').always(answer(201, headers, { made: true }))
    const got = await rig.ask()
    expect(got.status).toBe(201)
    expect(got.json).toEqual({ made: true })
    expect(got.headers).toMatchObject({ 'x-request-id': 'req_1', 'set-cookie': ['a=1', 'b=2'] })
    expect(got.headers['keep-alive']).not.toBe('timeout=9')
  })

  it('gets a redirect as it is', async () => {
    const elsewhere = await fakeUpstream()
    await start()
    rig.upstream.on('key-a').always(answer(307, { location: `${elsewhere.url}/stolen` }))
    const { status, headers } = await rig.ask()
    expect([status, headers.location]).toEqual([307, `${elsewhere.url}/stolen`])
    expect(elsewhere.requests).toHaveLength(0)
    await elsewhere.close()
  })
})

describe('failover', () => {
  it('moves to the next member in the same call and blames the one that was asked', async () => {
    await start()
    rig.upstream.on('key-a').always(limited)
    const { status, headers } = await rig.ask()
    expect([status, headers['x-spillway-attempts']]).toEqual([200, '2'])
    expect(rig.upstream.served).toEqual(['key-a', 'key-b'])
    expect([rig.health('a'), rig.health('b')]).toEqual(['cooling', 'healthy'])
    expect(rig.counted).toMatchObject({ requests: ['failed_over'], attempts: ['rate-limited', 'success'], inflight: 0 })
  })

  it('sends the same body again', async () => {
    await start()
    rig.upstream.on('key-a').always(limited)
    await rig.ask({ body: { model: 'm', input: 'x'.repeat(100_000) } })
    const [first, second] = rig.upstream.requests
    expect(second?.body.equals(first?.body ?? Buffer.alloc(0))).toBe(true)
  })

  it('goes past any number of used-up members in the same call', async () => {
    const members = Array.from({ length: 19 }, (_, at) => `m${at}`)
    await start({ members: [...members, 'last'], replay: { budget: { ratio: 0, perSecond: 0 } } })
    for (const member of members) rig.upstream.on(`key-${member}`).always(limited)
    const { status, headers } = await rig.ask()
    expect([status, headers['x-spillway-attempts']]).toEqual([200, '20'])
    expect(rig.health('m18')).toBe('cooling')
  })

  it('asks 20 members at most, and then says to come again: somebody may serve', async () => {
    await start({ members: Array.from({ length: 22 }, (_, at) => `m${at}`) })
    rig.upstream.on('*').always(limited)
    const { status, headers, json } = await rig.ask()
    expect([status, headers['retry-after'], headers['x-spillway-attempts']]).toEqual([503, '1', '20'])
    expect(headers['x-should-retry']).toBeUndefined()
    expect(json).toMatchObject({ error: { code: 'retries_spent' } })
    expect(rig.counted.requests).toEqual(['passed'])
  })

  it('stops after the attempts that are configured where refusals are weak, and says to come again soon', async () => {
    await start({ members: ['a', 'b', 'c', 'd'] })
    rig.upstream.on('*').always(bare)
    const { status, headers } = await rig.ask()
    expect([status, headers['retry-after'], headers['x-spillway-attempts']]).toEqual([503, '1', '3'])
    expect(rig.upstream.served).toEqual(['key-a', 'key-b', 'key-c'])
  })

  it('does not pay for a second weak failover from an empty retry budget', async () => {
    await start({ members: ['a', 'b', 'c'], replay: { budget: { ratio: 0, perSecond: 0 } } })
    rig.upstream.on('*').always(bare)
    const { status, headers } = await rig.ask()
    expect([status, headers['retry-after'], headers['x-spillway-attempts']]).toEqual([503, '1', '2'])
  })

  it('never ends with "used up" while a member that refused weakly could serve again', async () => {
    await start({ members: ['a', 'b', 'c'] })
    rig.upstream.on('key-a').always(bare)
    rig.upstream.on('key-b').always(bare)
    rig.upstream.on('key-c').always(limited)
    const { status, headers, json } = await rig.ask()
    expect([status, headers['retry-after']]).toEqual([503, '1'])
    expect(json).toMatchObject({ error: { code: 'retries_spent' } })
  })

  it('does not go on from a body that is too long to be held, but says to come again', async () => {
    await start({ replay: { maxBodyBytes: 10 } })
    rig.upstream.on('key-a').always(limited)
    const { status, headers } = await rig.ask({ body: { model: 'm', input: 'x'.repeat(100) } })
    expect([status, headers['retry-after'], headers['x-spillway-attempts']]).toEqual([503, '1', '1'])
  })

  it('answers locally when all members are limited', async () => {
    await start()
    rig.upstream.on('*').always(limited)
    const { status, headers, json } = await rig.ask()
    expect(status).toBe(429)
    expect(headers['x-should-retry']).toBe('false')
    expect(json).toMatchObject({ error: { type: 'usage_limit_reached', resets_in_seconds: expect.any(Number) } })
    expect(rig.counted.requests).toEqual(['exhausted'])
    rig.upstream.forget()
    await rig.ask()
    expect(rig.upstream.requests).toHaveLength(0)
  })

  it('answers locally when the last members are limited, too', async () => {
    await start({ members: ['a', 'b', 'c'] })
    rig.upstream.on('*').always(limited)
    const { status, headers, json } = await rig.ask()
    expect([status, headers['x-should-retry'], headers['x-spillway-attempts']]).toEqual([429, 'false', '3'])
    expect(json).toMatchObject({ error: { type: 'usage_limit_reached' } })
    expect(rig.counted.requests).toEqual(['exhausted'])
  })

  it.each([
    ['500', broken],
    ['502', answer(502, {}, 'bad context')],
    ['504', answer(504, {}, 'timeout')],
    ["the client's own fault", answer(400, {}, { error: { message: 'no such parameter' } })],
    ['not found', answer(404, {}, { error: { message: 'no such model' } })],
  ])('does not follow %s', async (_name, behaviour) => {
    await start()
    rig.upstream.on('key-a').always(behaviour)
    const { headers } = await rig.ask()
    expect(headers['x-spillway-attempts']).toBe('1')
    expect(rig.upstream.served).toEqual(['key-a'])
    expect(rig.health('a')).toBe('healthy')
  })

  it('follows an overload once', async () => {
    await start({ members: ['a', 'b', 'c'] })
    rig.upstream.on('*').always(overloaded)
    const { status } = await rig.ask()
    expect(status).toBe(503)
    expect(rig.upstream.served).toEqual(['key-a', 'key-b'])
    expect([rig.health('a'), rig.health('b')]).toEqual(['healthy', 'healthy'])
  })

  it('does not follow a reset: the upstream may have done the work', async () => {
    await start()
    rig.upstream.on('key-a').always(reset)
    const { status, json } = await rig.ask()
    expect([status, json]).toMatchObject([502, { error: { code: 'upstream_reset' } }])
    expect(rig.upstream.served).toEqual(['key-a'])
    expect(rig.health('a')).toBe('healthy')
  })

  it('has nobody to go to in an empty pool', async () => {
    await start({ members: [] })
    const { status, json } = await rig.ask()
    expect([status, json]).toMatchObject([503, { error: { code: 'pool_empty' } }])
  })
})

describe('a rejected key', () => {
  it('moves the request on and is confirmed by the canonical probe', async () => {
    await start()
    rig.upstream.on('key-a').always(badKey)
    expect((await rig.ask()).status).toBe(200)
    await expect.poll(() => rig.health('a')).toBe('disabled')
    expect(rig.upstream.requests.filter((request) => request.isProbe).map(({ target }) => target)).toEqual([
      '/v1/models',
    ])
  })

  it('of a second member waits for the finding about the first: confirmed, the request goes on', async () => {
    await start({ members: ['a', 'b', 'c'] })
    rig.upstream.on('key-a').always(badKey)
    rig.upstream.on('key-b').always(badKey)
    expect((await rig.ask()).status).toBe(200)
    expect(rig.upstream.served).toEqual(['key-a', 'key-b', 'key-c'])
  })

  it('of a second member while the first is cleared is the request’s own fault', async () => {
    await start({ members: ['a', 'b', 'c'] })
    // Only the client's own header makes these keys look bad: their probes succeed.
    rig.upstream.on('key-a').once(badKey)
    rig.upstream.on('key-b').once(badKey)
    const { status, json } = await rig.ask()
    expect([status, json]).toMatchObject([401, { error: { code: 'invalid_api_key' } }])
    expect(rig.upstream.served).toEqual(['key-a', 'key-b'])
    await expect.poll(() => rig.health('a')).toBe('healthy')
  })
})

describe('an expired token', () => {
  it('is renewed and the request is sent once more with the same member', async () => {
    await start({ auth: 'oauth' })
    rig.credentials.renewals.set('a', 'renewed')
    rig.upstream.on('key-a').always(expired)
    const { status, headers } = await rig.ask()
    expect([status, headers['x-spillway-attempts']]).toEqual([200, '2'])
    expect(rig.upstream.served).toEqual(['key-a', 'key-a-2'])
    expect(rig.counted).toMatchObject({ requests: ['served'], attempts: ['success'] })
  })

  it('moves the request on when it cannot be renewed', async () => {
    await start({ auth: 'oauth' })
    rig.upstream.on('key-a').always(expired)
    expect((await rig.ask()).status).toBe(200)
    expect(rig.upstream.served).toEqual(['key-a', 'key-b'])
    expect(rig.counted.attempts).toEqual(['auth-expired', 'success'])
  })

  it('that cannot be renewed and has no other member beside it is not told as a 401, on which clients drop their login', async () => {
    await start({ auth: 'oauth', members: ['a'] })
    rig.upstream.on('key-a').always(expired)
    const { status, json, headers } = await rig.ask()
    expect([status, json, headers['retry-after']]).toMatchObject([
      503,
      { error: { code: 'credential_unavailable' } },
      '5',
    ])
    expect(rig.health('a')).toBe('healthy')
  })

  it('that is refused again after its renewal makes the member a suspect', async () => {
    await start({ auth: 'oauth' })
    rig.credentials.renewals.set('a', 'renewed')
    rig.upstream.on('key-a').always(expired)
    rig.upstream.on('key-a-2').always(expired)
    expect((await rig.ask()).status).toBe(200)
    expect(rig.upstream.served).toEqual(['key-a', 'key-a-2', 'key-b'])
    expect(rig.told.map(({ event }) => event.kind)).toContain('cred_suspect')
  })
})

describe('a missing secret', () => {
  it('moves the request on and takes the member out of selection', async () => {
    await start()
    rig.credentials.missing.set('a', 'unreadable')
    expect((await rig.ask()).status).toBe(200)
    expect(rig.upstream.served).toEqual(['key-b'])
    expect(rig.health('a')).toBe('suspect')
  })

  it('is no reason to take the next member’s rejection for the request’s own fault', async () => {
    await start({ members: ['a', 'b', 'c'] })
    rig.credentials.missing.set('a', 'unreadable')
    rig.upstream.on('key-b').always(badKey)
    expect((await rig.ask()).status).toBe(200)
    expect(rig.upstream.served).toEqual(['key-b', 'key-c'])
  })

  it('of the only member exhausts the pool', async () => {
    await start({ members: ['a'] })
    rig.credentials.missing.set('a', 'unreadable')
    const { status } = await rig.ask()
    expect(status).toBe(429)
    expect(rig.upstream.requests).toHaveLength(0)
  })
})

describe('an unreachable upstream', () => {
  const nowhere = 'http://127.0.0.1:1'

  it('is tried with another member, and blames nobody', async () => {
    await start({ baseUrls: { a: nowhere } })
    const { status, headers } = await rig.ask()
    expect([status, headers['x-spillway-attempts']]).toEqual([200, '2'])
    expect([rig.health('a'), rig.health('b')]).toEqual(['healthy', 'healthy'])
    expect(rig.told.map(({ event }) => event.kind)).toContain('host_down')
  })

  it('is given up after two attempts', async () => {
    await start({
      members: ['a', 'b', 'c'],
      baseUrls: { a: nowhere, b: 'http://127.0.0.1:2', c: 'http://127.0.0.1:3' },
    })
    const { status, headers, json } = await rig.ask()
    expect([status, headers['x-spillway-attempts'], headers['retry-after']]).toEqual([502, '2', '1'])
    expect(json).toMatchObject({ error: { code: 'upstream_unreachable' } })
  })

  it.each([
    ['a name that does not exist', 'http://does-not-exist.invalid'],
    ['a server that speaks no TLS', 'https://127.0.0.1:PORT'],
    ['a forbidden address', 'http://169.254.169.254'],
    ['a private address behind a URL trick', 'http://[::ffff:10.0.0.1]:80'],
  ])('can be %s', async (_name, url) => {
    const plain = await fakeUpstream()
    await start({ members: ['a'], baseUrls: { a: url.replace('PORT', String(plain.port)) } })
    const { status, headers, json } = await rig.ask()
    expect(json).toMatchObject({ error: { code: 'upstream_unreachable' } })
    expect([502, 503]).toContain(status)
    expect(Number(headers['retry-after'])).toBeGreaterThan(0)
    expect(rig.health('a')).toBe('healthy')
    expect(plain.requests).toHaveLength(0)
    await plain.close()
  })
})

describe('an upstream whose certificate nobody signed', () => {
  it('is not reachable: nothing is sent, and nobody is blamed', async () => {
    let requests = 0
    const secure = createServer(selfSigned, (_request, response) => {
      requests++
      response.end('{}')
    })
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve))
    const { port } = secure.address() as { port: number }
    await start({ baseUrls: { a: `https://127.0.0.1:${port}` } })
    const { status, headers } = await rig.ask()
    expect([status, headers['x-spillway-attempts']]).toEqual([200, '2'])
    expect([rig.health('a'), requests]).toEqual(['healthy', 0])
    secure.close()
  })
})

describe('an exhausted pool', () => {
  it('holds a request when recovery is near, and serves it then', async () => {
    await start({ members: ['a'], maxWaitMs: 5_000 })
    rig.upstream.on('key-a').once(answer(429, { 'retry-after-ms': '300' }, { error: { code: 'rate_limit_exceeded' } }))
    const { status, headers } = await rig.ask()
    expect([status, headers['x-spillway-attempts']]).toEqual([200, '2'])
  })

  it.each(['openai', 'anthropic', 'gemini'] as const)(
    'says the same to a request that is here as a whole and to one whose body comes later (%s)',
    async (provider) => {
      await start({ provider, members: ['a', 'b'] })
      rig.upstream.on('*').always(limited)
      await rig.ask()
      const post = `POST /pool/v1/models/m:generateContent HTTP/1.1\r\nHost: a\r\nx-goog-api-key: ${rig.key}\r\nx-api-key: ${rig.key}\r\nAuthorization: Bearer ${rig.key}\r\n`
      const whole = await rig.raw(`${post}Content-Length: 2\r\n\r\n{}`, /\}\}?$/)
      const later = await rig.raw(`${post}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`, /\}\}?$/)
      expect(whole).toMatch(/^HTTP\/1.1 429 /)
      const unique = /^(?:x-spillway-request-id|date): .*$/gim
      const lines = (text: string) => text.replace(unique, '').split('\r\n').sort()
      expect(lines(whole)).toEqual(lines(later))
      expect(rig.counted.requests).toEqual(['exhausted', 'exhausted', 'exhausted'])
      expect(rig.counted.inflight).toBe(0)
    },
  )

  it('lets a held request go when its client leaves', async () => {
    await start({ members: ['a'], maxWaitMs: 5_000 })
    rig.upstream.on('key-a').once(answer(429, { 'retry-after': '4' }, { error: { code: 'rate_limit_exceeded' } }))
    const request = rig.open({}).on('error', () => {})
    await rig.upstream.received(1)
    await expect.poll(() => rig.health('a')).toBe('cooling')
    request.destroy()
    await expect.poll(() => rig.counted.inflight).toBe(0)
    expect(rig.counted.requests).toEqual(['client_gone'])
    expect(rig.upstream.served).toEqual(['key-a'])
  })
})

describe('F17: an early refusal', () => {
  it('moves a request on whose held body is still being sent', async () => {
    await start()
    rig.upstream.on('key-a').always(early(badKey))
    const { status } = await rig.ask({ body: Buffer.alloc(20_000_000, 'x') })
    expect(status).toBe(200)
    expect(
      rig.upstream.requests.find(({ credential, isProbe }) => credential === 'key-b' && !isProbe)?.body.length,
    ).toBe(20_000_000)
  })
})
