import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { UsageFinder } from './told-usage.ts'

const usage = '{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"prompt_tokens_details":{"cached_tokens":2}}'

function found(chunks: readonly (string | Buffer)[]) {
  const finder = new UsageFinder(true)
  for (const chunk of chunks) finder.take(Buffer.from(chunk))
  return { told: finder.told, model: finder.model }
}

const event = (data: object | string) => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`

const answers: readonly [string, string, string | null, string | null][] = [
  [
    'a JSON answer',
    `{"id":"1","model":"gpt-5","choices":[{"message":{"content":"x"}}],"usage":${usage}}`,
    usage,
    'gpt-5',
  ],
  ['one with white space', `{\n  "model" : "m",\n  "usage" : ${usage}\n}`, usage, 'm'],
  [
    'a stream whose chunks say that they have none yet',
    event({ model: 'gpt-5', usage: null }) +
      event({ usage: null }) +
      event(`{"choices":[],"usage":${usage}}`) +
      event('[DONE]'),
    usage,
    'gpt-5',
  ],
  [
    'words about usage in a text, which are no field',
    event({ delta: '"usage":{"prompt_tokens":9}' }) +
      event({ delta: `"model":"no" and \\"usage\\": {"x_tokens":1}` }) +
      event(`{"usage":${usage}}`),
    usage,
    null,
  ],
  [
    'a schema that a tool has',
    `{"tools":[{"usage":{"type":"object","properties":{"n":{"type":"number"}}}}],"usage":${usage}}`,
    usage,
    null,
  ],
  [
    'a brace and a quote in its own text',
    '{"usage":{"note":"} \\" {","input_tokens":1}}',
    '{"note":"} \\" {","input_tokens":1}',
    null,
  ],
  [
    'names that begin alike',
    `{"usages":{"a_tokens":1},"usage_x":{"a_tokens":2},"modelled":"no","usage":${usage}}`,
    usage,
    null,
  ],
  [
    'Gemini',
    `[{"usageMetadata": {"promptTokenCount": 5},"modelVersion": "gemini-2.5-pro"}]`,
    '{"promptTokenCount": 5}',
    'gemini-2.5-pro',
  ],
  ['an answer without any', '{"id":"1","object":"list","data":[]}', null, null],
  ['an answer that ends in the middle', `{"usage":{"prompt_tokens":3,"comp`, null, null],
  ['an answer that ends with the name', `{"model`, null, null],
]

describe('the last usage and the first model are found in', () => {
  test.each(answers)('%s', (_name, text, last, model) => {
    const { told, model: named } = found([text])
    expect(told?.last ?? null).toBe(last)
    expect(named).toBe(model)
  })

  it('whatever the chunks are', () => {
    fc.assert(
      fc.property(fc.constantFrom(...answers), fc.array(fc.nat(400), { maxLength: 40 }), ([, text], cuts) => {
        const bytes = Buffer.from(text)
        const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end))
        expect(found(chunks)).toEqual(found([text]))
      }),
    )
  })

  it('single bytes', () => {
    for (const [, text] of answers)
      expect(found([...Buffer.from(text)].map((byte) => Buffer.from([byte])))).toEqual(found([text]))
  })
})

describe('a finder', () => {
  it('keeps the first usage of a stream, too', () => {
    const first = '{"input_tokens":12,"output_tokens":1}'
    const last = '{"output_tokens":9}'
    const text = `${event(`{"type":"message_start","message":{"usage":${first}}}`)}${event(`{"usage":${last}}`)}`
    expect(found([text]).told).toEqual({ first, last })
  })

  it('looks for no model that is not wanted, nor behind 64 KiB', () => {
    const finder = new UsageFinder(false)
    finder.take(Buffer.from('{"model":"m"}'))
    expect(finder.model).toBeNull()
    expect(found([`{"x":"${'y'.repeat(70_000)}",`, '"model":"m"}']).model).toBeNull()
  })

  it('gives up on an object that is longer than 4 KiB, and finds the next', () => {
    const long = `{"usage":{"a":"${'x'.repeat(5_000)}","input_tokens":1}}`
    expect(found([long]).told).toBeNull()
    expect(found([long.slice(0, 3_000), long.slice(3_000), `{"usage":${usage}}`]).told?.last).toBe(usage)
  })

  it('takes no name of a model that is no text, or longer than 256 bytes', () => {
    expect(found(['{"model":{"name":"m"}}']).model).toBeNull()
    expect(found([`{"model":"${'m'.repeat(300)}"}`]).model).toBeNull()
    expect(found(['{"model":"a\\u0062"}']).model).toBeNull()
  })
})
