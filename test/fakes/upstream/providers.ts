import type { ServerResponse } from 'node:http'
import type { Recorded } from './recorded.ts'

const text = 'Hello from the fake upstream.'
const created = 1_767_600_000

/** One server-sent event of an answer. */
export interface Event {
  readonly event?: string
  readonly data: unknown
}

/** Answers as the provider that owns this path would answer a well-formed request. */
export function provide({ request, response }: { request: Recorded; response: ServerResponse }): void {
  const reply = replyTo(request)
  if (reply.events) events(response, reply.events)
  else json(response, reply.body)
}

/** What its provider answers to a request: one body, or the events of a stream. */
export function replyTo(request: Recorded): { readonly body?: unknown; readonly events?: readonly Event[] } {
  const model = typeof request.json.model === 'string' ? request.json.model : 'fake-model'
  const streams = request.json.stream === true
  const path = request.path
  if (path.endsWith('/models')) return { body: modelList(path) }
  if (path.endsWith('/chat/completions')) return streams ? { events: chatEvents(model) } : { body: chat(model) }
  if (path.endsWith('/responses')) {
    return streams ? { events: responseEvents(model) } : { body: responseObject(model, 'completed') }
  }
  if (path.endsWith('/messages')) {
    return streams ? { events: messageEvents(model) } : { body: message(model, text, 'end_turn') }
  }
  if (path.endsWith(':generateContent')) return { body: generated(text, 'STOP') }
  if (path.endsWith(':streamGenerateContent')) {
    const parts = [generated('Hello from ', null), generated('the fake upstream.', 'STOP')]
    return request.target.includes('alt=sse') ? { events: parts.map((data) => ({ data })) } : { body: parts }
  }
  return { body: { ok: true, method: request.method, bytes: request.body.length } }
}

function json(response: ServerResponse, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length })
  response.end(bytes)
}

function events(response: ServerResponse, list: readonly Event[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  for (const { event, data } of list) {
    const body = typeof data === 'string' ? data : JSON.stringify(data)
    response.write(`${event ? `event: ${event}\n` : ''}data: ${body}\n\n`)
  }
  response.end()
}

function modelList(path: string): unknown {
  if (path.includes('/v1beta/')) {
    return {
      models: [{ name: 'models/fake-model', displayName: 'Fake', supportedGenerationMethods: ['generateContent'] }],
    }
  }
  const model = { id: 'fake-model', object: 'model', type: 'model', display_name: 'Fake', created, owned_by: 'fake' }
  return { object: 'list', data: [model], has_more: false, first_id: model.id, last_id: model.id }
}

function chat(model: string): unknown {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created,
    model,
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 5, completion_tokens: 6, total_tokens: 11 },
  }
}

function chatEvents(model: string): Event[] {
  const chunk = (delta: unknown, finish: string | null) => ({
    data: {
      id: 'chatcmpl-1',
      object: 'chat.completion.chunk',
      created,
      model,
      choices: [{ index: 0, delta, finish_reason: finish }],
    },
  })
  return [
    chunk({ role: 'assistant', content: '' }, null),
    chunk({ content: 'Hello from ' }, null),
    chunk({ content: 'the fake upstream.' }, null),
    chunk({}, 'stop'),
    { data: '[DONE]' },
  ]
}

const messageItem = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [] }],
}

function responseObject(model: string, status: string): Record<string, unknown> {
  return {
    id: 'resp_1',
    object: 'response',
    created_at: created,
    status,
    error: null,
    incomplete_details: null,
    model,
    output: status === 'completed' ? [messageItem] : [],
    usage: { input_tokens: 5, output_tokens: 6, total_tokens: 11 },
  }
}

/** The events of the Responses API, which come as messages over a WebSocket. */
export function responseEvents(model: string): Event[] {
  const opening = responseObject(model, 'in_progress')
  const bodies: Record<string, unknown>[] = [
    { type: 'response.created', response: opening },
    { type: 'response.in_progress', response: opening },
    {
      type: 'response.output_item.added',
      output_index: 0,
      item: { id: 'msg_1', type: 'message', role: 'assistant', status: 'in_progress', content: [] },
    },
    {
      type: 'response.content_part.added',
      item_id: 'msg_1',
      output_index: 0,
      content_index: 0,
      part: { type: 'output_text', text: '', annotations: [] },
    },
    { type: 'response.output_text.delta', item_id: 'msg_1', output_index: 0, content_index: 0, delta: text },
    { type: 'response.output_text.done', item_id: 'msg_1', output_index: 0, content_index: 0, text },
    { type: 'response.output_item.done', output_index: 0, item: messageItem },
    { type: 'response.completed', response: responseObject(model, 'completed') },
  ]
  return bodies.map((body, at) => ({ event: String(body.type), data: { ...body, sequence_number: at } }))
}

function message(model: string, said: string | null, stop: string | null): Record<string, unknown> {
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model,
    content: said === null ? [] : [{ type: 'text', text: said }],
    stop_reason: stop,
    stop_sequence: null,
    usage: { input_tokens: 5, output_tokens: 6 },
  }
}

function messageEvents(model: string): Event[] {
  const bodies: Record<string, unknown>[] = [
    { type: 'message_start', message: message(model, null, null) },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'ping' },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 6 } },
    { type: 'message_stop' },
  ]
  return bodies.map((body) => ({ event: String(body.type), data: body }))
}

function generated(said: string, finish: string | null): unknown {
  const candidate = { index: 0, content: { role: 'model', parts: [{ text: said }] } }
  return {
    candidates: [finish === null ? candidate : { ...candidate, finishReason: finish }],
    usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 6, totalTokenCount: 11 },
    modelVersion: 'fake-model',
  }
}
