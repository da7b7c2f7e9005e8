import { request } from 'node:http'
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Installation, installation } from '../../fakes/rig/installation.ts'
import { type } from '../../fakes/rig/terminal.ts'
import { type Visitor, visitorOf } from '../../fakes/rig/visitor.ts'
import { answer } from '../../fakes/upstream/upstream.ts'

let spillway: Installation
let visitor: Visitor

beforeAll(async () => {
  spillway = await installation({ config: { 'web.listen': '127.0.0.1:0', 'pools.maxWaitMs': '0' } })
  await spillway.pool('openai', ['work', 'personal', 'backup'])
  await spillway.pool('crawl', ['crawler'])
  visitor = await visitorOf(spillway)
})
afterAll(() => spillway.close())

/** What a reader sees: without tags, in one line. */
function read(markup: string): string {
  return markup
    .replace(/^[\s\S]*<main/, '<main')
    .replace(/<[^>]+>/g, ' ')
    .replace(/&#39;/g, "'")
    .replace(/&quot;/g, '"')
    .replace(/\s+/g, ' ')
    .replace(/ ([,;:])/g, '$1')
}

async function page(path: string): Promise<string> {
  const { status, text } = await visitor.ask(path)
  expect(status).toBe(200)
  return read(text)
}

describe('spillway web', () => {
  it('prints a link that works once', async () => {
    const { code, stdout } = await type(spillway, ['web', '--print'])
    expect([code, stdout.trim()]).toEqual([0, expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/login\/[\w-]{43}$/)])
  })

  it('prints it as well where there is no browser, and says so', async () => {
    const { code, stdout, stderr } = await type(spillway, ['web'])
    expect([code, stdout.trim()]).toEqual([0, expect.stringContaining('/login/')])
    expect(stderr).toContain('there is no browser here')
  })

  it('says so where there is no web view', async () => {
    const without = await installation()
    const { code, stderr } = await type(without, ['web', '--print'])
    expect([code, stderr]).toEqual([4, expect.stringContaining('there is no web view: web.listen is null')])
    await without.close()
  })

  it('says whose port it is, and the proxy serves all the same', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    const beside = await installation({ config: { 'web.listen': `127.0.0.1:${port}` } })
    await beside.pool('openai', ['a'])
    expect((await beside.ask()).status).toBe(200)
    const { code, stderr } = await type(beside, ['web', '--print'])
    expect([code, stderr]).toEqual([4, expect.stringContaining(`127.0.0.1:${port} is in use by another process`)])
    const rows = await beside.ops.doctor({})
    expect(rows.find(({ check }) => check === 'web')).toMatchObject({ state: 'warn' })
    await beside.close()
    other.close()
  })
})

describe('the pages', () => {
  it('tell who serves, who is out, why and until when', async () => {
    await spillway.ask()
    const error = { message: 'Rate limit reached', type: 'requests', code: 'rate_limit_exceeded' }
    spillway.upstream.on('sk-work').always(answer(429, { 'retry-after': '600' }, { error }))
    await spillway.ask()
    await spillway.ops.poolPark({ name: 'openai', member: 'backup', forMs: 3_600_000 })
    await spillway.audit()
    const text = await page('/')
    expect(text).toMatch(/openai personal serves/)
    expect(text).toMatch(/work cooling rate limited, back .* in 10 min/)
    expect(text).toMatch(/backup parked until .*, in 1 h/)
    expect(await page('/pools/openai')).toMatch(/personal serves: .*failed over from work to personal \(rate limited\)/)
  })

  it('show windows as bars, with their caps, and what is foreseen', async () => {
    const { clock } = spillway
    const reset = String(Math.floor(clock.now() / 1_000) + 7_200)
    await spillway.pool('claude', ['max'], { provider: 'anthropic' })
    const headers = {
      'anthropic-ratelimit-unified-5h-utilization': '0.41',
      'anthropic-ratelimit-unified-5h-reset': reset,
    }
    spillway.upstream.on('sk-max').always(answer(200, headers, { id: 'msg', type: 'message', content: [] }))
    await spillway.send('/claude/v1/messages', {
      method: 'POST',
      headers: { 'x-api-key': spillway.key, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'claude-sonnet', max_tokens: 1, messages: [] }),
    })
    await spillway.ops.poolTune({ name: 'claude', member: 'max', caps: { '5h': 60 } })
    const { text } = await visitor.ask('/pools/claude')
    expect(text).toMatch(/aria-label="5h: 41 % used, stopped at 60 %"/)
    expect(read(text)).toMatch(/5h 41 % resets in 2 h/)
    expect(read(text)).toContain('Forecast too little is known')
  })

  it('tell incidents with their stories', async () => {
    const error = { message: 'Rate limit reached', type: 'requests', code: 'rate_limit_exceeded' }
    spillway.upstream.on('sk-crawler').always(answer(429, { 'retry-after': '60' }, { error }))
    await spillway.ask('crawl')
    await spillway.audit()
    expect(await page('/')).toMatch(/crawl exhausted, back/)
    expect(await page('/incidents')).toMatch(/Open crawl/)
  })

  it('have the audit log, filtered and verified', async () => {
    const text = await page('/audit?pool=openai&kind=cred_failover&verify=1')
    expect(text).toMatch(/The chain holds: \d+ rows/)
    expect(text).toContain('failed over from work to personal')
    expect(text).not.toContain('member_parked')
  })

  it('tell what each client key has used, and not the key', async () => {
    const text = await page('/keys')
    expect(text).toMatch(/local every pool .* \d+/)
    expect(text).not.toContain(spillway.key)
  })

  it('have settings with their origin', async () => {
    expect(await page('/settings')).toMatch(/web\.listen 127\.0\.0\.1:0 SPILLWAY_WEB_LISTEN/)
  })

  it('say what to type where there is nothing', async () => {
    expect(await page('/guard')).toContain('spillway run --pool')
    expect(await page('/fleet')).toContain('One process on its own store')
  })

  it('send again only what has changed', async () => {
    const { text } = await visitor.ask('/')
    const versions = [...text.matchAll(/data-v="([^"]+)"/g)].map(([, version]) => version)
    const again = await visitor.ask('/', { 'spillway-have': versions.join(',') })
    expect(again.status).toBe(200)
    expect(again.text.length).toBeLessThan(text.length / 2)
    expect(again.text.match(/data-same/g)?.length).toBe(versions.length)
  })

  it('refuse a pool that does not exist with the words of the command line', async () => {
    const { status, text } = await visitor.ask('/pools/nothing')
    const typed = await type(spillway, ['pool', 'status', 'nothing'])
    expect([status, read(text)]).toEqual([404, expect.stringContaining('no pool named nothing')])
    expect(typed.stderr).toContain('no pool named nothing')
  })
})

describe('the verbs', () => {
  it('ask once, with scripts off, too, and are audited as operator:web', async () => {
    const question = await visitor.ask('/pools/openai/park?member=personal')
    expect(question.text).toContain('<form method="post" action="/pools/openai/park"')
    const { status, headers } = await visitor.form('/pools/openai/park', { member: 'personal', for: '1h30m' })
    expect([status, headers.location]).toEqual([303, '/pools/openai'])
    expect(await page('/pools/openai')).toMatch(/openai: personal parked until .* Undo/)
    const row = (await spillway.audit('member_parked')).at(-1)
    expect(row).toMatchObject({ actor: 'operator:web', pool: 'openai', from: 'personal' })
    const { members } = await spillway.ops.poolStatus({ name: 'openai' })
    const until = members.find(({ name }) => name === 'personal')?.park?.until ?? ''
    expect(Date.parse(until) - spillway.clock.now()).toBe(5_400_000)
  })

  it('undo with one press', async () => {
    const { status } = await visitor.form(
      '/pools/openai/unpark',
      { member: 'personal' },
      { 'sec-fetch-site': 'same-origin' },
    )
    expect(status).toBe(303)
    expect((await spillway.audit('member_unparked')).at(-1)).toMatchObject({ actor: 'operator:web', from: 'personal' })
  })

  it('clear, rotate and enable', async () => {
    expect((await visitor.form('/pools/openai/clear', { member: 'work' })).status).toBe(303)
    expect((await spillway.audit('member_cleared')).at(-1)).toMatchObject({ actor: 'operator:web', from: 'work' })
    expect((await visitor.form('/pools/openai/rotate', { member: 'work', for: '10m' })).status).toBe(303)
    expect((await spillway.audit('pool_rotated')).at(-1)).toMatchObject({ actor: 'operator:web', to: 'work' })
    await spillway.ops.credDisable({ name: 'backup' })
    expect(await page('/pools/openai')).toMatch(/backup switched off/)
    expect((await visitor.form('/pools/openai/enable', { member: 'backup' })).status).toBe(303)
    expect((await spillway.audit('cred_revived')).at(-1)).toMatchObject({ actor: 'operator:web', from: 'backup' })
  })

  it.each([
    ['rotate', 'crawl', {}, 409],
    ['park', 'openai', { member: 'nobody' }, 404],
    ['park', 'openai', {}, 400],
    ['park', 'openai', { member: 'work', for: 'soon' }, 400],
    ['enable', 'openai', { member: 'crawler' }, 404],
    ['remove', 'openai', { member: 'work' }, 404],
    ['park', 'nothing', { member: 'work' }, 404],
  ])('%s of %s with %j is refused with %i, in words', async (verb, pool, fields, status) => {
    const answered = await visitor.form(`/pools/${pool}/${verb}`, fields)
    expect(answered.status).toBe(status)
    expect(answered.text).toContain('role="alert"')
  })

  it('refuse with the sentence of the command line', async () => {
    const typed = await type(spillway, ['pool', 'rotate', 'crawl'])
    const { text } = await visitor.form('/pools/crawl/rotate', {})
    const sentence = /error: (.*)/.exec(typed.stderr)?.[1] ?? '?'
    expect(read(text)).toContain(sentence)
  })
})

describe('GET /v1/events', () => {
  it('streams what happens to whoever has a session', async () => {
    const heard = await new Promise<string>((resolve, reject) => {
      let text = ''
      const headers = { host: new URL(visitor.origin).host, cookie: visitor.cookie }
      const asked = request({ host: '127.0.0.1', port: visitor.port, path: '/v1/events', headers }, (response) => {
        expect(response.headers['content-type']).toBe('text/event-stream')
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part
          if (!text.includes('\ndata:')) return
          asked.destroy()
          resolve(text)
        })
        void visitor.form('/pools/openai/park', { member: 'backup' })
      })
      asked.on('error', reject).end()
    })
    expect(heard).toContain('event: member_parked')
  })
})
