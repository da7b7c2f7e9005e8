import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { noon } from '../../../test/fakes/events.ts'
import { textOf } from '../../../test/support/citations.ts'
import { FakeClock } from '../../clock/clock.ts'
import type { Notice } from '../incident/notice.ts'
import { createWebhook } from './webhook.ts'

const notice: Notice = {
  incident: 'exhausted:openai@7',
  kind: 'pool_exhausted',
  why: 'opened',
  text: 'openai is exhausted: all 3 members are cooling.',
  command: 'spillway pool explain openai',
  host: 'node7',
  version: 3,
  isSilent: false,
  open: true,
  remedies: [],
  pool: 'openai',
  subject: 'work',
  reason: 'rate-limited',
  openedAt: noon,
  closedAt: null,
  count: 1,
  isRepeated: false,
}

interface Post {
  headers: IncomingHttpHeaders
  body: string
}

interface Answer {
  status: number
  headers?: Record<string, string>
}

let server: Server | undefined
const posts: Post[] = []

/** An endpoint that answers every post alike; with null it never answers. */
async function endpoint(answer: Answer | null): Promise<string> {
  posts.length = 0
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      posts.push({ headers: request.headers, body: Buffer.concat(chunks).toString() })
      if (answer) response.writeHead(answer.status, answer.headers).end('ignored')
    })
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
}

afterEach(async () => {
  server?.closeAllConnections()
  await new Promise((resolve) => (server?.listening ? server.close(resolve) : resolve(null)))
})

const { signal } = new AbortController()
const secret = { reveal: () => 'sesame' }

describe('webhook', () => {
  it('posts the notice as JSON, signed over the exact bytes', async () => {
    const channel = createWebhook({ url: await endpoint({ status: 204 }), secret, clock: new FakeClock(noon) })
    expect(await channel.send(notice, signal)).toEqual({ messageId: 'exhausted:openai@7' })
    const [post] = posts
    expect(JSON.parse(post?.body ?? '')).toEqual({
      id: 'exhausted:openai@7#3',
      command: 'spillway pool explain openai',
      host: 'node7',
      silent: false,
      incident: 'exhausted:openai@7',
      kind: 'pool_exhausted',
      why: 'opened',
      text: 'openai is exhausted: all 3 members are cooling.',
      open: true,
      pool: 'openai',
      subject: 'work',
      reason: 'rate-limited',
      openedAt: '2026-01-05T14:00:00.000Z',
      closedAt: null,
      count: 1,
      sentAt: '2026-01-05T14:00:00.000Z',
    })
    const expected = createHmac('sha256', 'sesame')
      .update(post?.body ?? '')
      .digest('hex')
    expect(post?.headers['x-spillway-signature']).toBe(`sha256=${expected}`)
  })

  it('is verified by the code that docs/notices.md shows', async () => {
    const [, code = ''] = /```js\n([\s\S]*?)```/.exec(textOf('docs/notices.md')) ?? []
    const { isGenuine } = await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(code)}`)
    const now = Date.now()
    const channel = createWebhook({ url: await endpoint({ status: 204 }), secret, clock: new FakeClock(now) })
    await channel.send(notice, signal)
    const { body = '', headers } = posts[0] ?? {}
    const signature = headers?.['x-spillway-signature']
    expect(isGenuine(body, signature, 'sesame')).toBe(true)
    expect(isGenuine(body, signature, 'other')).toBe(false)
    expect(isGenuine(body.replace('openai', 'codex'), signature, 'sesame')).toBe(false)
    expect(isGenuine(body, undefined, 'sesame')).toBe(false)
    await createWebhook({ url: await endpoint({ status: 204 }), secret, clock: new FakeClock(now - 600_000) }).send(
      notice,
      signal,
    )
    expect(isGenuine(posts[0]?.body, posts[0]?.headers['x-spillway-signature'], 'sesame')).toBe(false)
  })

  it('posts what is no incident with its kind', async () => {
    const channel = createWebhook({ url: await endpoint({ status: 204 }), secret, clock: new FakeClock(noon) })
    await channel.remark({ about: 'test', text: 'hello', command: null, host: 'node7', isSilent: true }, signal)
    expect(JSON.parse(posts[0]?.body ?? '')).toEqual({
      id: `test@${noon}`,
      kind: 'test',
      text: 'hello',
      command: null,
      host: 'node7',
      silent: true,
      sentAt: '2026-01-05T14:00:00.000Z',
    })
  })

  it('posts the end once, whether something ended it or its time was over', async () => {
    const channel = createWebhook({ url: await endpoint({ status: 200 }), secret, clock: new FakeClock(noon) })
    await channel.edit('x', { ...notice, why: 'ended', isRepeated: true }, signal)
    await channel.reply('x', { ...notice, why: 'ended' }, signal)
    expect(posts).toHaveLength(1)
    await channel.edit('y', { ...notice, why: 'ended' }, signal)
    expect(posts).toHaveLength(2)
  })

  it('sends no signature without a secret', async () => {
    const channel = createWebhook({ url: await endpoint({ status: 200 }), secret: null, clock: new FakeClock(noon) })
    await channel.reply('x', notice, signal)
    expect(posts[0]?.headers).not.toHaveProperty('x-spillway-signature')
  })

  it('tells changes and ends but not the time that passes', async () => {
    const channel = createWebhook({ url: await endpoint({ status: 200 }), secret, clock: new FakeClock(noon) })
    await channel.edit('x', { ...notice, why: 'lasting' }, signal)
    await channel.edit('x', { ...notice, why: 'changed' }, signal)
    expect(posts.map(({ body }) => JSON.parse(body).why)).toEqual(['changed'])
  })

  const answers: readonly [string, Answer, object][] = [
    [
      'a pause asked for in seconds',
      { status: 429, headers: { 'retry-after': '35' } },
      { kind: 'retry-after', afterMs: 35_000 },
    ],
    [
      'a pause asked for as a date',
      { status: 503, headers: { 'retry-after': 'Mon, 05 Jan 2026 14:01:00 GMT' } },
      { kind: 'retry-after', afterMs: 60_000 },
    ],
    [
      'a pause of a year',
      { status: 503, headers: { 'retry-after': '31536000' } },
      { kind: 'retry-after', afterMs: 3_600_000 },
    ],
    ['a pause that makes no sense', { status: 503, headers: { 'retry-after': 'soon' } }, { kind: 'transient' }],
    ['an error of the other side', { status: 500 }, { kind: 'transient' }],
    ['a refusal', { status: 404 }, { kind: 'permanent' }],
    ['a redirect, which is not followed', { status: 302, headers: { location: '/else' } }, { kind: 'permanent' }],
  ]
  it.each(answers)('reports %s', async (_name, answer, fault) => {
    const channel = createWebhook({ url: await endpoint(answer), secret, clock: new FakeClock(noon) })
    await expect(channel.send(notice, signal)).rejects.toMatchObject({ name: 'ChannelError', fault })
    expect(posts).toHaveLength(1)
  })

  it('does not wait for an endpoint that hangs', async () => {
    const clock = new FakeClock(noon)
    const sent = createWebhook({ url: await endpoint(null), secret, clock }).send(notice, signal)
    const failed = expect(sent).rejects.toMatchObject({
      fault: { kind: 'transient' },
      message: /did not answer within/,
    })
    await clock.advance(10_000)
    await failed
  })

  it('does not show the address, which may hold a token, when nobody listens there', async () => {
    const url = await endpoint({ status: 200 })
    await new Promise((resolve) => server?.close(resolve))
    const channel = createWebhook({ url: `${url}?token=canary`, secret, clock: new FakeClock(noon) })
    await expect(channel.send(notice, signal)).rejects.toMatchObject({
      message: 'the webhook cannot be reached',
      fault: { kind: 'transient' },
    })
  })
})
