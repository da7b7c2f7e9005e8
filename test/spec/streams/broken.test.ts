import { connect as connectTls } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { answerOf, type Rig, type RigOptions, startRig } from '../../fakes/rig/rig.ts'
import { selfSigned } from '../../fakes/upstream/certificate.ts'
import { breakAfter, eventText, Gate, type StreamPart, stream } from '../../fakes/upstream/upstream.ts'

let rig: Rig

async function start(options: RigOptions = {}): Promise<void> {
  rig = await startRig(options)
}

afterEach(() => rig.close())

const created = { event: 'response.created', data: { type: 'response.created', response: { id: 'r' } } }
const delta = { event: 'response.output_text.delta', data: { type: 'response.output_text.delta', delta: 'Hel' } }
const failedWith = (code: string, more: object = {}) => ({
  event: 'response.failed',
  data: { type: 'response.failed', response: { id: 'r', error: { code, message: 'no' }, ...more } },
})
const quota = failedWith('rate_limit_exceeded')
const chatChunk = { data: { choices: [{ index: 0, delta: { content: 'Hel' } }] } }
const minimaxLimit = {
  data: { choices: [], base_resp: { status_code: 1002, status_msg: 'rate limit exceeded' } },
}
const anthropicDelta = { event: 'content_block_delta', data: { type: 'content_block_delta', delta: { text: 'Hel' } } }
const anthropicError = (type: string) => ({ event: 'error', data: { type: 'error', error: { type, message: 'no' } } })

/** Asks for a stream whose first part is sent at once and the rest as soon as the client has seen that. */
async function asks(first: StreamPart, rest: StreamPart[], path = '/v1/responses') {
  const gate = new Gate()
  rig.upstream.on('key-a').always(stream([first, gate, ...rest]))
  return answerOf(rig.open({ path, body: { stream: true } }), () => gate.open())
}

describe('a failure in a stream whose content the client has seen already', () => {
  it.each([
    ['a rate limit of OpenAI', {}, delta, quota, 'cooling'],
    ['overload of OpenAI', {}, delta, failedWith('server_is_overloaded'), 'healthy'],
    ['a server error of OpenAI', {}, delta, failedWith('server_error'), 'healthy'],
    ['a rate limit in a chat', {}, chatChunk, { data: { error: { code: 'rate_limit_exceeded' } } }, 'cooling'],
    ['a limit of MiniMax', { provider: 'minimax' }, chatChunk, minimaxLimit, 'cooling'],
    ['overload of Anthropic', { provider: 'anthropic' }, anthropicDelta, anthropicError('overloaded_error'), 'healthy'],
    ['a limit of Anthropic', { provider: 'anthropic' }, anthropicDelta, anthropicError('rate_limit_error'), 'cooling'],
  ] as const)(
    'that is %s resets the connection, and no error event is seen',
    async (_name, options, first, error, health) => {
      await start(options)
      const heard = await asks(first, [error])
      expect(heard).toMatchObject({ status: 200, reset: true, text: eventText(first) })
      expect(rig.upstream.served).toEqual(['key-a'])
      expect(rig.counted).toMatchObject({ requests: ['upstream_error'], inflight: 0 })
      expect(rig.health('a')).toBe(health)
      expect(await rig.upstream.requests[0]?.ended).toBeDefined()
    },
  )

  it('is followed by an answer of the next member when the agent comes again', async () => {
    await start()
    await asks(delta, [quota])
    expect(await rig.ask({ path: '/v1/responses', body: { stream: true } })).toMatchObject({
      status: 200,
      broken: false,
    })
    expect(rig.upstream.served).toEqual(['key-a', 'key-b'])
  })

  it('leaves what came before it in the same chunk', async () => {
    await start()
    const more = { ...delta, data: { ...delta.data, delta: 'lo' } }
    const heard = await asks(delta, [eventText(more) + eventText(quota) + eventText(more)])
    expect(heard).toMatchObject({ reset: true, text: eventText(delta) + eventText(more) })
  })

  it('together with the first content breaks off behind the content', async () => {
    await start()
    rig.upstream.on('key-a').always(stream([eventText(delta) + eventText(quota)]))
    const heard = await answerOf(rig.open({ path: '/v1/responses', body: { stream: true } }))
    expect(heard).toMatchObject({ status: 200, reset: true, text: eventText(delta) })
  })

  it.each([1, 700, 70_000])('is found when its event comes in pieces of %i bytes', async (size) => {
    await start()
    const long = eventText(failedWith('rate_limit_exceeded', { instructions: 'x'.repeat(size === 1 ? 0 : 150_000) }))
    const pieces: StreamPart[] = []
    for (let at = 0; at < long.length; at += size) pieces.push(long.slice(at, at + size))
    const heard = await asks(delta, pieces)
    expect(heard.reset).toBe(true)
    expect(heard.text.endsWith('\n\n') && heard.text.includes('response.failed')).toBe(false)
    expect(rig.health('a')).toBe('cooling')
  })

  it('that is the fault of the request goes to the client, whose stream ends well', async () => {
    await start()
    const fault = failedWith('context_length_exceeded')
    const heard = await asks(delta, [fault])
    expect(heard).toMatchObject({ broken: false, text: eventText(delta) + eventText(fault) })
  })

  it('resets a client that is read by node:http, too', async () => {
    await start()
    const gate = new Gate()
    rig.upstream.on('key-a').always(stream([delta, gate, quota]))
    const socket = rig.socket()
    let text = ''
    const end = new Promise<string>((resolve) => {
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? '')).on('end', () => resolve('end'))
    })
    socket.on('data', (bytes: Buffer) => {
      text += bytes
      if (text.includes('delta')) gate.open()
    })
    // A chunked body makes node:http take the connection.
    const head = `POST /pool/v1/responses HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${rig.key}\r\n`
    socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`)
    expect(await end).toBe('ECONNRESET')
    expect(text).not.toContain('response.failed')
  })

  it('resets a client behind TLS', async () => {
    await start({ identity: selfSigned })
    const gate = new Gate()
    rig.upstream.on('key-a').always(stream([delta, gate, quota]))
    const socket = connectTls({ port: rig.port, rejectUnauthorized: false })
    const end = new Promise<string>((resolve) => {
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? '')).on('end', () => resolve('end'))
    })
    socket.on('data', (bytes: Buffer) => bytes.includes('delta') && gate.open())
    const head = `POST /pool/v1/responses HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${rig.key}\r\n`
    socket.write(`${head}Content-Length: 2\r\n\r\n{}`)
    expect(await end).toBe('ECONNRESET')
  })
})

describe('an upstream that breaks off in the middle (F15)', () => {
  it.each([
    ['a stream', stream([created, delta, 'reset'])],
    ['a body', breakAfter('{"choices":[')],
  ])('of %s resets the client’s connection', async (_name, behaviour) => {
    await start()
    rig.upstream.on('key-a').always(behaviour)
    const heard = await answerOf(rig.open({ path: '/v1/responses', body: { stream: true } }))
    expect(heard).toMatchObject({ status: 200, broken: true, reset: true })
    expect(rig.upstream.served).toEqual(['key-a'])
  })
})
