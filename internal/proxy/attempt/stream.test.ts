import { describe, expect, test } from 'vitest'
import { dialectOf } from '../../dialect/dialect.ts'
import { EventReader } from './event-reader.ts'
import { LateErrors } from './late-errors.ts'
import { Opening } from './stream.ts'

const now = Date.UTC(2026, 0, 5, 14, 0, 0)

function readIn(size: number, text: string) {
  const reader = new EventReader()
  const bytes = Buffer.from(text)
  const events = []
  for (let at = 0; at < bytes.length; at += size) events.push(...reader.push(bytes.subarray(at, at + size)))
  return events
}

describe('server-sent events', () => {
  const cases: [string, string, { event: string | null; data: string }[]][] = [
    ['an event with data alone', 'data: a\n\n', [{ event: null, data: 'a' }]],
    ['a named event', 'event: ping\ndata: {}\n\n', [{ event: 'ping', data: '{}' }]],
    [
      'CRLF line ends',
      'event: x\r\ndata: a\r\n\r\ndata: b\r\n\r\n',
      [
        { event: 'x', data: 'a' },
        { event: null, data: 'b' },
      ],
    ],
    [
      'CR line ends',
      'data: a\r\rdata: b\r\r',
      [
        { event: null, data: 'a' },
        { event: null, data: 'b' },
      ],
    ],
    ['data of several lines', 'data: a\ndata:b\ndata\n\n', [{ event: null, data: 'a\nb\n' }]],
    ['comments, ids and retry times', ': hello\nid: 1\nretry: 5\ndata: a\n\n', [{ event: null, data: 'a' }]],
    ['an event without data', 'event: x\n\ndata: a\n\n', [{ event: null, data: 'a' }]],
    ['an unfinished event', 'data: a\n\ndata: b\n', [{ event: null, data: 'a' }]],
    ['a byte order mark', '\ufeffdata: a\n\n', [{ event: null, data: 'a' }]],
    ['letters of several bytes', 'data: Grüße €\n\n', [{ event: null, data: 'Grüße €' }]],
  ]

  test.each(cases)('%s', (_name, text, events) => {
    expect(readIn(10_000, text)).toEqual(events)
  })

  test.each(cases)('%s, byte by byte', (_name, text, events) => {
    expect(readIn(1, text)).toEqual(events)
  })
})

describe('the opening of a stream', () => {
  test('says nothing before an event that is no lifecycle event', () => {
    const opening = new Opening(dialectOf('openai'))
    expect(
      opening.read(Buffer.from('event: response.created\ndata: {"type":"response.created","response":{}}\n\n'), now),
    ).toBeNull()
    expect(opening.read(Buffer.from('event: response.output_text.delta\ndata: {"type":"resp'), now)).toBeNull()
    expect(opening.read(Buffer.from('onse.output_text.delta","delta":"a"}\n\n'), now)).toBe('content')
  })

  test('is an error when an error follows lifecycle events', () => {
    const opening = new Opening(dialectOf('anthropic'))
    expect(opening.read(Buffer.from('event: message_start\ndata: {"type":"message_start"}\n\n'), now)).toBeNull()
    const error = 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    expect(opening.read(Buffer.from(error), now)).toMatchObject({ kind: 'overloaded' })
  })
})

describe('errors in a stream that is passed on', () => {
  const error = 'event: error\ndata: {"type":"error","error":{"type":"rate_limit_error","message":"m"}}\n\n'
  const delta =
    'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"text":"an error, he said"}}\n\n'

  function late(...chunks: string[]) {
    const errors = new LateErrors(dialectOf('anthropic'), () => now)
    return chunks.map((chunk) => errors.read(Buffer.from(chunk))?.outcome.kind ?? null)
  }

  test('are found', () => {
    expect(late(delta, error)).toEqual([null, 'rate-limited'])
  })

  test('are found behind other events of the same chunk', () => {
    expect(late(delta + error + delta)).toEqual(['rate-limited'])
  })

  test.each([5, 12, 20, 40, 60])('are found when the event is cut after %i bytes', (cut) => {
    expect(late(delta + error.slice(0, cut), error.slice(cut))).toEqual([null, 'rate-limited'])
  })

  test.each(['\r\n', '\r'])('are found with line ends %j', (end) => {
    const other = error.replaceAll('\n', end)
    expect(late(other.slice(0, 30), other.slice(30))).toEqual([null, 'rate-limited'])
    expect(late((delta + error + delta).replaceAll('\n', end))).toEqual(['rate-limited'])
  })

  test.each(['\n', '\r\n', '\r'])('are found when each byte comes alone, with line ends %j', (end) => {
    expect(late(...error.replaceAll('\n', end)).filter((kind) => kind !== null)).toEqual(['rate-limited'])
  })

  test('do not hide behind a byte order mark, which is data behind the beginning, however the bytes are cut', () => {
    const marked = `\ufeff${error.slice(error.indexOf('data:'))}`
    const text = delta.replaceAll('\n', '\r\n') + marked.replaceAll('\n', '\r\n')
    const cut = Buffer.byteLength(delta.replaceAll('\n', '\r\n'))
    expect(late(text)).toEqual([null])
    expect(late(text.slice(0, cut - 1), text.slice(cut - 1))).toEqual([null, null])
    expect(late(text.slice(0, cut), text.slice(cut))).toEqual([null, null])
  })

  test('are not words of the answer', () => {
    expect(late(delta, delta.slice(0, 50), delta.slice(50))).toEqual([null, null, null])
  })

  test('are found where they come as a result', () => {
    const chunk = (result: object) =>
      `data: ${JSON.stringify({ choices: [{ delta: { content: 'a' } }], base_resp: result })}\n\n`
    const errors = new LateErrors(dialectOf('minimax'), () => now)
    const read = (text: string) => errors.read(Buffer.from(text))?.outcome.kind ?? null
    const ended = chunk({ status_code: 1002, status_msg: 'rate limit exceeded' })
    expect(read(chunk({ status_code: 0, status_msg: '' }))).toBeNull()
    expect(read(ended.slice(0, 60))).toBeNull()
    expect(read(ended.slice(60))).toBe('rate-limited')
  })

  test('an event of more than 64 KiB is given up without being kept', () => {
    const huge = `data: {"text":"${'x'.repeat(70_000)}`
    expect(late(huge, '"}\n\n', error)).toEqual([null, null, 'rate-limited'])
  })
})
