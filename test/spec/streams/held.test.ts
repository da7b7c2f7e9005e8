import { afterEach, describe, expect, it } from 'vitest'
import { type Cancel, FakeClock } from '../../../internal/clock/clock.ts'
import { type Answer, answerOf, type Rig, type RigOptions, startRig } from '../../fakes/rig/rig.ts'
import { eventText, Gate, type StreamPart, stream } from '../../fakes/upstream/upstream.ts'

let rig: Rig
let clock: NotingClock

/** Notes for how long it has been set. */
class NotingClock extends FakeClock {
  readonly set: number[] = []

  override after(delayMs: number, run: () => void): Cancel {
    this.set.push(delayMs)
    return super.after(delayMs, run)
  }
}

async function start(options: RigOptions = {}): Promise<void> {
  clock = new NotingClock()
  const quiet = { idleMs: 900_000, headMs: 900_000 }
  rig = await startRig({ provider: 'codex', clock, upstream: quiet, ...options })
}

afterEach(() => rig.close())

const named = (type: string, more: object = {}) => ({ event: type, data: { type, ...more } })
const created = named('response.created', { response: { id: 'r' } })
const progress = named('response.in_progress', { response: { id: 'r' } })
const delta = named('response.output_text.delta', { delta: 'Hel' })
const failure = (code: string, message = 'no', more: object = {}) =>
  named('response.failed', { response: { error: { code, message }, ...more } })
const limited = failure('rate_limit_exceeded')
const atCapacity = failure('server_error', 'Selected model is at capacity. Please try a different model.')
const overloaded = failure('server_is_overloaded')
const pad = (size: number) => ({ response: { id: 'r', instructions: 'x'.repeat(size) } })
const messageStart = named('message_start', { message: { id: 'm' } })
const ping = named('ping')
const anthropicError = named('error', { error: { type: 'overloaded_error', message: 'busy' } })

const metadata = named('codex.response.metadata', { headers: { 'x-codex-plan-type': 'plus' } })
const emptyItem = named('response.output_item.added', {
  output_index: 0,
  item: { id: 'm', type: 'message', role: 'assistant', status: 'in_progress', content: [] },
})
const chatOf = (delta: object, more: object = {}) => ({
  data: { id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: null }], ...more },
})
const role = chatOf({ role: 'assistant', content: '' })
const limitedChat = { data: { error: { type: 'requests', code: 'rate_limit_exceeded', message: 'no' } } }
const failedChat = chatOf({ content: '' }, { error: { code: 429, message: 'Rate limit exceeded' } })
const emptyBlock = named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } })
const emptyElement = { data: { candidates: [{ content: { role: 'model', parts: [{ text: '' }] }, index: 0 }] } }
const geminiError = { data: { error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'no' } } }

/** Where each provider's clients ask for a stream. */
const paths: Readonly<Record<string, string>> = {
  codex: '/responses',
  openai: '/v1/chat/completions',
  openrouter: '/v1/chat/completions',
  anthropic: '/v1/messages',
  gemini: '/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse',
}

/** The holds of these stories, with what is added to them. */
const holds = [60_000, 2_000, 5_000].map((ms) => ms * 1.01)

const open = (path = '/responses') => rig.open({ path, body: { stream: true } })

/** Resolves when the head of the answer has come and the hold has begun. */
const isHeld = () => expect.poll(() => clock.set.some((ms) => holds.includes(ms))).toBe(true)

/** Lets `ms` pass once the beginning of the stream has been sent, and then what the gate holds back. */
async function later(gate: Gate, ms: number): Promise<void> {
  await gate.reached
  await isHeld()
  await clock.advance(ms)
  gate.open()
}

describe('what carries no content', () => {
  it.each<[string, RigOptions, StreamPart[]]>([
    [
      'two events of 34 KiB',
      {},
      [named('response.created', pad(34_000)), named('response.in_progress', pad(34_000)), limited],
    ],
    ['an event of 300 KiB', {}, [named('response.created', pad(300_000)), limited]],
    ['one of 300 KiB that is not named', {}, [{ data: named('response.created', pad(300_000)).data }, limited]],
    ['3 MiB of them', {}, [...Array.from({ length: 30 }, () => named('response.in_progress', pad(100_000))), limited]],
    ['an error of 300 KiB behind them', {}, [created, failure('rate_limit_exceeded', 'no', pad(300_000).response)]],
    ['pings', { provider: 'anthropic' }, [messageStart, ping, ping, anthropicError]],
    [
      'pings of 34 KiB',
      { provider: 'anthropic' },
      [messageStart, named('ping', pad(34_000)), named('ping', pad(34_000)), anthropicError],
    ],
    ["Codex's metadata and an item without anything in it", {}, [created, metadata, emptyItem, atCapacity]],
    ['the role of a chat', { provider: 'openai' }, [role, limitedChat]],
    ['the role of a chat of OpenRouter, which fails beside it', { provider: 'openrouter' }, [role, failedChat]],
    ['an empty block of Anthropic', { provider: 'anthropic' }, [messageStart, emptyBlock, ping, anthropicError]],
    ['an empty text of Gemini', { provider: 'gemini' }, [emptyElement, geminiError]],
    ['comments', {}, [': hello\n\n', created, ': keep-alive\n\n', limited]],
  ])('does not end the hold: %s', async (_name, options, parts) => {
    await start(options)
    const gate = new Gate()
    rig.upstream.on('key-a').always(stream([...parts.slice(0, -1), gate, ...parts.slice(-1)]))
    const heard = answerOf(open(paths[options.provider ?? 'codex']))
    await later(gate, 100)
    const { status, text } = await heard
    expect(status).toBe(200)
    expect(text).not.toMatch(/response\.failed|overloaded_error|"error":\{/)
    expect(rig.upstream.served).toEqual(['key-a', 'key-b'])
  })

  it.each([
    ['more than 4 MiB of it', Array.from({ length: 45 }, () => named('response.in_progress', pad(100_000)))],
    ['more than 64 KiB of which nothing can be said', [`data: ${'x'.repeat(70_000)}`]],
  ])('goes on when there is %s', async (_name, parts) => {
    await start()
    const gate = new Gate()
    rig.upstream.on('key-a').always(stream([...parts, gate, '\n\n', delta]))
    const { broken } = await answerOf(open(), () => gate.open())
    expect(broken).toBe(false)
    expect(rig.upstream.served).toEqual(['key-a'])
  })
})

describe('a Codex stream without content', () => {
  it.each([
    ['want of capacity after 3 s', atCapacity, 3_000],
    ['want of capacity after 12 s', atCapacity, 12_000],
    ['want of capacity after 60 s', atCapacity, 60_000],
    ['overload after 3 s', overloaded, 3_000],
    ['overload after 60 s', overloaded, 60_000],
  ])('that fails for %s is answered by the next member', async (_name, error, ms) => {
    await start()
    const gate = new Gate()
    rig.upstream.on('key-a').always(stream([created, progress, gate, error]))
    const heard = answerOf(open())
    await later(gate, ms)
    expect(await heard).toMatchObject({ status: 200, broken: false })
    expect((await heard).text).not.toContain('response.failed')
    expect(rig.upstream.served).toEqual(['key-a', 'key-b'])
    expect(rig.health('a')).toBe('healthy')
  })

  it.each<[string, RigOptions, number]>([
    ['a minute with Codex', {}, 61_000],
    ['2 s elsewhere', { provider: 'openai' }, 2_100],
    ['as long as the configuration says', { replay: { holdMs: { codex: 5_000, default: 2_000 } } }, 5_100],
  ])('goes on as it came after %s, and the rest with it', async (_name, options, ms) => {
    await start(options)
    const gates = [new Gate(), new Gate()] as const
    rig.upstream.on('key-a').always(stream([created, progress, gates[0], delta]))
    let isFirst = true
    const heard = answerOf(open(), () => {
      isFirst = false
      gates[0].open()
    })
    await gates[0].reached
    await isHeld()
    await clock.advance(ms - 1_000)
    expect(isFirst).toBe(true)
    await clock.advance(1_000)
    const { text, broken }: Answer = await heard
    expect([text, broken]).toEqual([[created, progress, delta].map(eventText).join(''), false])
  })

  it('that fails when the hold is over breaks off, so that the agent comes again', async () => {
    await start()
    const gate = new Gate()
    rig.upstream.on('key-a').always(stream([created, gate, atCapacity]))
    let ended: Answer | null = null
    answerOf(open(), () => gate.open()).then((answer) => {
      ended = answer
    })
    const passes = async () => {
      await clock.advance(1_000)
      return ended
    }
    await expect.poll(passes, { interval: 5 }).toMatchObject({ status: 200, reset: true, text: eventText(created) })
  })
})
