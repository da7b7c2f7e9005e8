import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../../internal/clock/clock.ts'
import { credentialRecord } from '../../fakes/rig/records.ts'
import { type Answer, type Rig, type RigOptions, startRig } from '../../fakes/rig/rig.ts'
import { answer, type Behaviour, stream } from '../../fakes/upstream/upstream.ts'

let rig: Rig
let clock: FakeClock

afterEach(() => rig.close())

const usedUp = answer(429, {}, { error: { type: 'usage_limit_reached', message: 'used up', resets_in_seconds: 600 } })

/** An answer to a Responses request, as JSON or as a stream. */
const response = (id: string): Behaviour => answer(200, {}, { id, object: 'response', output: [{ id: 'msg_1' }] })
const streamed = (id: string): Behaviour =>
  stream([
    { event: 'response.created', data: { type: 'response.created', response: { id } } },
    { event: 'response.output_text.delta', data: { type: 'response.output_text.delta', delta: 'x' } },
    { event: 'response.completed', data: { type: 'response.completed', response: { id, output: [] } } },
  ])

async function start(options: RigOptions = {}): Promise<void> {
  clock = new FakeClock()
  rig = await startRig({ clock, members: ['a', 'b'], pool: { strategy: 'round-robin' }, ...options })
}

const ask = (body: object = {}) => rig.ask({ path: '/v1/responses', body: { input: 'x', ...body } })
const goOn = (id: string, body: object = {}) => ask({ previous_response_id: id, ...body })
const told = ({ status, json }: Answer) => [status, json.error]
const notFound = [
  400,
  { type: 'invalid_request_error', code: 'previous_response_not_found', param: 'previous_response_id' },
]

describe('a request that goes on from a response', () => {
  it.each<[string, Behaviour]>([
    ['JSON', response('resp_1')],
    ['a stream', streamed('resp_1')],
    [
      'packed JSON',
      {
        play({ response: to }) {
          const bytes = gzipSync(JSON.stringify({ id: 'resp_1', output: [] }))
          const packed = { 'content-encoding': 'gzip', 'content-length': String(bytes.length) }
          to.writeHead(200, { 'content-type': 'application/json', ...packed }).end(bytes)
        },
      },
    ],
  ])('in %s goes to the member that has given it, whoever is next', async (_name, first) => {
    await start()
    rig.upstream.on('key-a').once(first)
    await ask()
    await goOn('resp_1')
    await goOn('resp_1', { filler: 'y'.repeat(300_000) })
    expect(rig.upstream.served).toEqual(['key-a', 'key-a', 'key-a'])
  })

  it('F40: whose owner cools is told so before anybody is asked, and is served by another member once it is sent whole', async () => {
    await start({ pool: { strategy: 'sticky' } })
    rig.upstream.on('key-a').once(response('resp_1'), usedUp)
    await ask()
    expect(told(await goOn('resp_1'))).toMatchObject(notFound)
    expect(told(await goOn('resp_1'))).toMatchObject(notFound)
    expect(rig.upstream.served).toEqual(['key-a', 'key-a'])
    expect((await ask({ input: 'everything' })).status).toBe(200)
    expect(rig.upstream.served).toEqual(['key-a', 'key-a', 'key-b'])
  })

  it('is served by its owner again when that has recovered, as its probe', async () => {
    await start()
    rig.upstream.on('key-a').once(response('resp_1'), usedUp)
    await ask()
    await goOn('resp_1')
    await clock.advance(700_000)
    expect((await goOn('resp_1')).status).toBe(200)
    expect(rig.health('a')).toBe('healthy')
  })

  it('goes to a sibling in the quota domain of its owner', async () => {
    await start({ members: [] })
    const domains = { a: 'org', b: null, c: 'org' }
    for (const [name, domain] of Object.entries(domains)) {
      await rig.engine.addCredential(credentialRecord({ name, provider: 'openai', domain }), [], 'test')
      await rig.engine.addMember('pool', name, { position: null }, 'test')
    }
    rig.upstream.on('key-a').once(response('resp_1'))
    await ask()
    await rig.engine.dropMember('pool', 'a', 'test')
    await goOn('resp_1')
    expect(rig.upstream.served).toEqual(['key-a', 'key-c'])
  })

  it.each<[string, () => Promise<unknown>]>([
    ['is dropped', () => rig.engine.dropMember('pool', 'a', 'test')],
    ['is disabled', () => rig.engine.setEnabled('a', false, 'test')],
  ])('and whose owner %s is told so', async (_name, lose) => {
    await start({ members: ['a', 'b', 'c'] })
    rig.upstream.on('key-a').once(response('resp_1'))
    await ask()
    await lose()
    expect(told(await goOn('resp_1'))).toMatchObject(notFound)
    expect(rig.upstream.served).toEqual(['key-a'])
  })

  it('that nobody here knows is told so where several accounts might have it, and passed on where there is one', async () => {
    await start()
    expect(told(await goOn('resp_9'))).toMatchObject(notFound)
    expect(rig.upstream.served).toEqual([])
    await rig.engine.dropMember('pool', 'b', 'test')
    expect((await goOn('resp_9')).status).toBe(200)
  })

  it('hears that the pool is exhausted when nobody could serve it whole either', async () => {
    await start()
    rig.upstream.on('key-a').always(usedUp)
    rig.upstream.on('key-b').always(usedUp)
    await ask()
    expect(told(await goOn('resp_9'))).toMatchObject([429, { type: 'usage_limit_reached' }])
  })

  it('waits for room with its owner', async () => {
    await start({ maxWaitMs: 10_000 })
    rig.upstream.on('key-a').once(response('resp_1'))
    await ask()
    await rig.engine.tune('pool', 'a', { maxInFlight: 1 }, 'test')
    let free = () => {}
    rig.upstream.on('key-a').once({
      async play(played) {
        await new Promise<void>((resolve) => {
          free = resolve
        })
        await response('resp_2').play(played)
      },
    })
    const busy = goOn('resp_1')
    await rig.upstream.received(2)
    const waits = goOn('resp_1')
    await clock.advance(500)
    free()
    expect([(await busy).status, (await waits).status]).toEqual([200, 200])
    expect(rig.upstream.served).toEqual(['key-a', 'key-a', 'key-a'])
  })
})

describe('a request that names a file or a batch', () => {
  const file = answer(200, {}, { id: 'file-1', object: 'file' })
  const batch = answer(200, {}, { id: 'batch_1', input_file_id: 'file-1', output_file_id: 'file-2' })
  const get = (path: string) => rig.ask({ method: 'GET', path })

  it('goes to the member that has it: also a batch of it, and what that writes', async () => {
    await start()
    await ask()
    rig.upstream.on('key-b').once(file, batch, batch)
    await rig.ask({ path: '/v1/files', body: 'a form' })
    await rig.ask({ path: '/v1/batches', body: { input_file_id: 'file-1' } })
    await get('/v1/batches/batch_1')
    await get('/v1/files/file-2/content')
    await ask({ input: [{ content: [{ type: 'input_file', file_id: 'file-1' }] }] })
    expect(rig.upstream.served).toEqual(['key-a', ...Array.from({ length: 5 }, () => 'key-b')])
  })

  it('is told when its owner is back; when only a person can help, that it is not there', async () => {
    await start()
    rig.upstream.on('key-a').once(file, usedUp)
    await rig.ask({ path: '/v1/files', body: 'a form' })
    await get('/v1/files/file-1')
    const later = await get('/v1/files/file-1')
    expect([later.status, later.headers['retry-after']]).toEqual([429, '600'])
    await rig.engine.setEnabled('a', false, 'test')
    expect(told(await get('/v1/files/file-1'))).toMatchObject([404, { code: 'not_found' }])
    expect(rig.upstream.served).toEqual(['key-a', 'key-a'])
  })

  it('that nobody here knows is the upstream’s to judge', async () => {
    await start()
    expect((await get('/v1/files/file-9')).status).toBe(200)
  })
})
