import { describe } from 'vitest'
import { events } from '../../../test/support/signal-cases.ts'

const chunk = (delta: object | null, more: object = {}) => ({ choices: [{ index: 0, delta, ...more }] })
const open = (block: unknown) => ({ type: 'content_block_start', index: 0, content_block: block })
const add = (delta: unknown) => ({ type: 'content_block_delta', index: 0, delta })
const element = (parts: unknown, more: object = {}) => ({
  candidates: [{ content: { role: 'model', parts }, ...more }],
})

describe("an event of OpenAI's shape", () => {
  events('openai', [
    ...[
      { name: 'a chunk with the role and an empty text', data: chunk({ role: 'assistant', content: '' }) },
      { name: 'a chunk with the role alone', data: chunk({ role: 'assistant' }) },
      {
        name: 'a chunk with empty fields',
        data: chunk(
          { role: 'assistant', content: null, reasoning_content: '', refusal: null, tool_calls: [] },
          { logprobs: null, finish_reason: null },
        ),
      },
      { name: 'a chunk without choices (the filter of Azure)', data: { choices: [], prompt_filter_results: [{}] } },
      { name: 'a completion with an empty text', data: { choices: [{ index: 0, text: '', finish_reason: null }] } },
      { name: 'a text that grows by nothing', data: { type: 'response.output_text.delta', delta: '' } },
      { name: "Codex's metadata", data: { type: 'codex.response.metadata', headers: {} } },
    ].map((row) => ({ ...row, name: `${row.name}: nothing yet`, means: 'lifecycle' as const })),
    ...[
      { name: 'a chunk with text', data: chunk({ role: 'assistant', content: 'Hi' }) },
      { name: 'a chunk with reasoning', data: chunk({ role: 'assistant', content: '', reasoning_content: 'Hm' }) },
      { name: 'a chunk that calls a tool', data: chunk({ tool_calls: [{ index: 0, function: { name: 'f' } }] }) },
      { name: 'a chunk that ends', data: chunk({}, { finish_reason: 'stop' }) },
      {
        name: 'a chunk of several, one of which says something',
        data: { choices: [chunk({}).choices[0], { delta: { content: 'Hi' } }] },
      },
      { name: 'a completion with text', data: { choices: [{ text: 'Hi' }] } },
      { name: 'a choice that is a message', data: { choices: [{ delta: {}, message: { content: 'Hi' } }] } },
      { name: 'a choice that is none', data: { choices: [{}] } },
      { name: 'the end', data: '[DONE]' },
    ].map((row) => ({ ...row, name: `${row.name}: content`, means: 'content' as const })),
    {
      name: 'an empty chunk with an error is the error',
      data: { ...chunk({ role: 'assistant', content: '' }), error: { code: 'rate_limit_exceeded' } },
      means: { kind: 'rate-limited' },
    },
  ])
})

describe("an event of Anthropic's shape", () => {
  events('anthropic', [
    ...[
      { name: 'a block of text that has been opened', data: open({ type: 'text', text: '' }) },
      { name: 'a block of thinking', data: open({ type: 'thinking', thinking: '', signature: '' }) },
      { name: 'a call without input yet', data: open({ type: 'tool_use', id: 't', name: 'f', input: {} }) },
      { name: 'a text that grows by nothing', data: add({ type: 'text_delta', text: '' }) },
    ].map((row) => ({ ...row, name: `${row.name}: nothing yet`, means: 'lifecycle' as const })),
    ...[
      { name: 'a block that has text', data: open({ type: 'text', text: 'Hi' }) },
      { name: 'a block that is sealed', data: open({ type: 'redacted_thinking', data: 'x' }) },
      { name: 'a result of a tool', data: open({ type: 'web_search_tool_result', content: [{ url: 'x' }] }) },
      { name: 'a text that grows', data: add({ type: 'text_delta', text: 'Hi' }) },
      { name: 'input that grows', data: add({ type: 'input_json_delta', partial_json: '{' }) },
      { name: 'a block that is none', data: open(null) },
      { name: 'a message that ends', data: { type: 'message_delta', delta: { stop_reason: 'end_turn' } } },
    ].map((row) => ({ ...row, name: `${row.name}: content`, means: 'content' as const })),
  ])
})

describe("an element of Gemini's shape", () => {
  events('gemini', [
    ...[
      { name: 'an empty text', data: element([{ text: '' }]) },
      { name: 'an empty thought', data: element([{ text: '', thought: true }]) },
      { name: 'no parts', data: element(undefined) },
      { name: 'an empty text for a Gemini login', data: { response: element([{ text: '' }]), traceId: 'x' } },
      { name: "a chunk of its endpoint for OpenAI's clients", data: chunk({ role: 'assistant', content: '' }) },
    ].map((row) => ({ ...row, name: `${row.name}: nothing yet`, means: 'lifecycle' as const })),
    ...[
      { name: 'a text', data: element([{ text: 'Hi' }]) },
      { name: 'a call', data: element([{ functionCall: { name: 'f' } }]) },
      { name: 'a sealed thought', data: element([{ text: '', thoughtSignature: 'x' }]) },
      { name: 'an end', data: element([{ text: '' }], { finishReason: 'STOP' }) },
      { name: 'a blocked prompt', data: { candidates: [], promptFeedback: { blockReason: 'SAFETY' } } },
      { name: 'a text for a Gemini login', data: { response: element([{ text: 'Hi' }]) } },
      { name: "text of its endpoint for OpenAI's clients", data: chunk({ content: 'Hi' }) },
    ].map((row) => ({ ...row, name: `${row.name}: content`, means: 'content' as const })),
  ])
})
