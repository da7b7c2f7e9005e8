import { describe, expect, it } from 'vitest'
import { conversationInBody, conversationInHeaders, conversationInText } from './conversation.ts'

describe('the conversation in headers', () => {
  it.each<[string, string[], string | null]>([
    ['of Codex', ['Host', 'x', 'session-id', 's1', 'thread-id', 't1'], 'session s1'],
    ['of an older Codex', ['conversation_id', 'c1', 'Session_Id', 's1'], 'session s1'],
    ['of Claude Code', ['x-claude-code-session-id', 'c1'], 'session c1'],
    ['of opencode', ['X-Session-Id', 'b', 'x-session-affinity', 'a'], 'session a'],
    ['that is empty', ['session-id', ''], null],
    ['of nobody', ['x-client-request-id', 'r1'], null],
  ])('%s', (_name, headers, id) => {
    expect(conversationInHeaders(headers)).toBe(id)
  })
})

describe('the conversation in a piece of text', () => {
  it.each([
    ['is its cache key', '{"model":"m","prompt_cache_key" : "k1"}', 'cache k1'],
    ['is not one that somebody writes about', '{"input":"\\"prompt_cache_key\\":\\"k1\\""}', null],
    ['may be missing', '{}', null],
  ])('%s', (_name, text, id) => {
    expect(conversationInText(text)).toBe(id)
  })
})

describe('the conversation in a body', () => {
  const said = { role: 'user', content: 'hello' }
  it.each<[string, unknown, string | null]>([
    ['with a cache key', { prompt_cache_key: 'k1', metadata: { user_id: 'u1' } }, 'cache k1'],
    ['with a user', { prompt_cache_key: '', metadata: { user_id: 'u1' }, messages: [said] }, 'user u1'],
    ['of Responses in short', { metadata: { user_id: '' }, input: 'hello' }, 'says hello'],
    ['of Responses', { input: [{ role: 'developer', content: 'be' }, said] }, `says ${JSON.stringify(said)}`],
    ['of chat', { messages: [{ role: 'system', content: 'be' }, said, said] }, `says ${JSON.stringify(said)}`],
    ['of Gemini', { contents: [{ parts: [{ text: 'hello' }] }] }, 'says {"parts":[{"text":"hello"}]}'],
    ['in which no user speaks', { messages: [{ role: 'system', content: 'be' }] }, null],
    ['that is no object', 'hello', null],
    ['that is nothing', null, null],
  ])('%s', (_name, body, id) => {
    expect(conversationInBody(body)).toBe(id)
  })

  it('is the same for every turn, however long its first message is', () => {
    const first = { role: 'user', content: 'x'.repeat(1_000_000) }
    const [one, two] = [[first], [first, { role: 'assistant', content: 'y' }, said]]
    expect(conversationInBody({ messages: one })).toBe(conversationInBody({ messages: two }))
    expect(conversationInBody({ messages: one })?.length).toBeLessThan(5_000)
  })
})
