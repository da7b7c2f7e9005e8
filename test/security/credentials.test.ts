/** A5, A6 and A11: the credential goes where it should, and the client key nowhere. */
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import type { Provider } from '../../internal/dialect/dialect.ts'
import { type Rig, type RigOptions, startRig } from '../fakes/rig/rig.ts'
import { answer, eventText, raw } from '../fakes/upstream/upstream.ts'

let rig: Rig

async function start(options: RigOptions = {}): Promise<void> {
  rig = await startRig(options)
}

afterEach(() => rig.close())

function get(path: string, headers: readonly string[]): Promise<string> {
  return rig.raw(
    [`GET /pool${path} HTTP/1.1`, 'Host: a', ...headers, '', ''].join('\r\n').replaceAll('<key>', rig.key),
    /\}$/,
  )
}

function seen(): string {
  const [request] = rig.upstream.requests
  return JSON.stringify([request?.target, request?.rawHeaders, request?.body.toString()])
}

const places: [Provider, string][] = [
  ['openai', 'authorization'],
  ['anthropic', 'x-api-key'],
  ['gemini', 'x-goog-api-key'],
  ['azure', 'api-key'],
]

describe('A5: a client that has its hop drop the credential', () => {
  it.each(places)('%s still gets its credential, once', async (provider, header) => {
    await start({ provider })
    const connection = 'Connection: close, authorization, x-api-key, x-goog-api-key, api-key'
    const text = await get('/v1/files', [connection, 'Authorization: Bearer <key>', 'x-api-key: <key>'])
    expect(text).toContain('200 OK')
    const values = rig.upstream.requests[0]?.headers(header)
    expect(values).toHaveLength(1)
    expect(values?.[0]).toMatch(/^(?:Bearer )?key-a$/)
  })
})

describe('A6: client keys in odd places', () => {
  it.each<[string, string, readonly string[]]>([
    [
      'every header at once',
      '/v1/files',
      ['Authorization: Bearer <key>', 'x-api-key: <key>', 'api-key: <key>', 'x-goog-api-key: <key>'],
    ],
    ['the same header twice', '/v1/files', ['Authorization: Bearer <key>', 'Authorization: Bearer <key>']],
    [
      'underscores',
      '/v1/files',
      ['Authorization: Bearer <key>', 'X_Api_Key: <key>', 'x_goog_api_key: <key>', 'api_key: <key>'],
    ],
    ['Proxy-Authorization', '/v1/files', ['Authorization: Bearer <key>', 'Proxy-Authorization: Bearer <key>']],
    ['a query that repeats it', '/v1/files?key=<key>&a=1&key=<key>', ['Authorization: Bearer <key>']],
    ['an encoded name', '/v1/files?%6bey=<key>&k%65y=<key>&%6B%65%79=<key>', ['Authorization: Bearer <key>']],
    ['a name in capitals', '/v1/files?KEY=<key>&Key=<key>', ['Authorization: Bearer <key>']],
    ['the query alone', '/v1/files?key=<key>', []],
    ['a cookie', '/v1/files', ['Authorization: Bearer <key>', 'Cookie: a=b; key=<key>']],
    [
      'a header of no meaning',
      '/v1/files',
      ['Authorization: Bearer <key>', 'X-Foo: <key>', 'X-Url: http://a?key=<key>'],
    ],
    ['the name of a header', '/v1/files', ['Authorization: Bearer <key>', '<key>: 1']],
    ['a coding', '/v1/files', ['Authorization: Bearer <key>', 'Accept-Encoding: gzip;<key>']],
    ['a parameter of another name', '/v1/files?a=1&token=<key>&b=2', ['Authorization: Bearer <key>']],
    ['a subprotocol of a plain request', '/v1/files', ['Authorization: Bearer <key>', 'Sec-WebSocket-Protocol: <key>']],
    ['mixed spelling', '/v1/files', ['AUTHORIZATION: Bearer <key>', 'X-API-KEY: <key>']],
  ])('%s: none of its bytes reaches the upstream', async (_name, path, headers) => {
    await start()
    const text = await get(path, headers)
    expect(text).toMatch(/^HTTP\/1\.1 (?:200|401) /)
    expect(seen()).not.toContain(rig.key)
    expect(seen()).not.toContain(rig.key.slice(-43))
  })

  it('a path: the request is refused', async () => {
    await start()
    expect(await get('/v1/files/<key>', ['Authorization: Bearer <key>'])).toMatch(/^HTTP\/1\.1 400 /)
    expect(rig.upstream.requests).toEqual([])
  })

  it.each(places)('%s: the key in each place of each dialect never goes up', async (provider) => {
    await start({ provider })
    const headers = ['Authorization: Bearer <key>', 'x-api-key: <key>', 'api-key: <key>', 'x-goog-api-key: <key>']
    expect(await get(`/v1/files?key=${rig.key}`, headers)).toContain('200 OK')
    expect(seen()).not.toContain(rig.key)
    expect(rig.upstream.requests[0]?.credential).toBe('key-a')
  })
})

describe('A11: an upstream that repeats our credential', () => {
  const said = '{"error":{"message":"Invalid value, said to key-a. key-a!","code":"invalid_value"}}'
  const refused = '{"error":{"message":"Incorrect API key provided: key-a. key-a!","code":"invalid_api_key"}}'
  const mask = (text: string) => text.replaceAll('key-a', '*****')

  it.each([
    ['as it is', answer(400, { 'content-type': 'application/json' }, said)],
    ['packed', answer(400, { 'content-encoding': 'gzip' }, gzipSync(said))],
    [
      'byte by byte',
      raw(
        `HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n${[...said].map((byte) => `1\r\n${byte}\r\n`).join('')}0\r\n\r\n`,
      ),
    ],
  ])('%s: the client does not see it', async (_name, behaviour) => {
    await start()
    rig.upstream.on('key-a').always(behaviour)
    expect((await rig.ask()).text).toBe(mask(said))
  })

  it.each([400, 401, 403])(
    'to refuse it with %i, where nobody else may be asked: the client does not see it',
    async (status) => {
      await start({ replay: { maxBodyBytes: 10 } })
      rig.upstream.on('key-a').always(answer(status, { 'content-type': 'application/json' }, refused))
      expect(await rig.ask({ body: { input: 'too long to be sent again' } })).toMatchObject({
        status,
        text: mask(refused),
      })
      expect(new Set(rig.upstream.served)).toEqual(new Set(['key-a']))
    },
  )

  it.each([400, 401, 403])('to refuse it with %i: the client hears the next member instead', async (status) => {
    await start()
    rig.upstream.on('key-a').always(answer(status, { 'content-type': 'application/json' }, refused))
    const heard = await rig.ask()
    expect(heard.status).toBe(200)
    expect(JSON.stringify([heard.rawHeaders, heard.text])).not.toContain('key-a')
    expect(new Set(rig.upstream.served)).toEqual(new Set(['key-a', 'key-b']))
  })

  it('in its headers: the client does not see it', async () => {
    await start()
    rig.upstream.on('key-a').always(answer(400, { 'x-debug': 'key-a', 'www-authenticate': 'Bearer key-a' }, '{}'))
    expect(JSON.stringify((await rig.ask()).rawHeaders)).not.toContain('key-a')
  })

  it('in an error inside a stream: the client does not see it', async () => {
    await start({ provider: 'anthropic', members: ['a'] })
    const error = {
      event: 'error',
      data: { type: 'error', error: { type: 'invalid_request_error', message: 'bad key-a' } },
    }
    rig.upstream.on('key-a').always(answer(200, { 'content-type': 'text/event-stream' }, eventText(error)))
    const { text } = await rig.ask({ path: '/v1/messages' })
    expect(text).toBe(eventText(error).replace('key-a', '*****'))
  })
})
