import type { WebSocket } from 'ws'
import { type Event, replyTo, responseEvents } from '../../fakes/upstream/providers.ts'
import { type Behaviour, eventText } from '../../fakes/upstream/upstream.ts'
import type { Greeting } from '../../fakes/upstream/websocket-upstream.ts'

const usedUp = { type: 'usage_limit_reached', message: 'The usage limit has been reached', resets_in_seconds: 3_600 }

/** What each API says, inside a stream, of a member that is used up. */
function failureOn(path: string): Event {
  if (path.endsWith('/responses')) {
    const response = { id: 'resp_1', object: 'response', status: 'failed', error: { ...usedUp, code: usedUp.type } }
    return { event: 'response.failed', data: { type: 'response.failed', response, sequence_number: 9 } }
  }
  if (path.endsWith('/messages')) {
    const error = { type: 'rate_limit_error', message: 'This request would exceed your rate limit.' }
    return { event: 'error', data: { type: 'error', error } }
  }
  if (path.includes(':streamGenerateContent')) {
    return { data: { error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'Resource has been exhausted.' } } }
  }
  return { data: { error: usedUp } }
}

const hasContent = /"delta":"|text_delta|"content":"[^"]|"parts":/

/** Answers as the provider does until the first content, and then fails in band. */
export const failsLate: Behaviour = {
  play({ request, response }) {
    const { events = [] } = replyTo(request)
    const until = events.findIndex(({ data }) => hasContent.test(JSON.stringify(data)))
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const event of [...events.slice(0, until + 1), failureOn(request.path)]) response.write(eventText(event))
    response.end()
  },
}

/** A turn of the Responses API on a WebSocket. */
type Turn = (socket: WebSocket, asked: Asked) => void

interface Asked {
  readonly type: string
  readonly model: string
  readonly generate?: boolean
  readonly tools?: readonly { readonly name?: string }[]
}

/** Plays these turns on each socket, the last one for all that follow; what only warms up is answered with nothing. */
export function turns(...played: readonly Turn[]): Greeting {
  return {
    accept(socket) {
      let turn = 0
      socket.on('message', (data) => {
        const asked: Asked = JSON.parse(String(data))
        if (asked.type !== 'response.create') return
        if (asked.generate === false) sendAll(socket, edges(asked.model))
        else played[Math.min(turn++, played.length - 1)]?.(socket, asked)
      })
    },
  }
}

/** Says the whole answer. */
export const says: Turn = (socket, { model }) =>
  sendAll(
    socket,
    responseEvents(model).map(({ data }) => data),
  )

/** Has the agent call a tool that changes nothing, so that it comes back with another turn. */
export const callsTool: Turn = (socket, { model }) => {
  const item = {
    id: 'fc_1',
    type: 'function_call',
    status: 'completed',
    call_id: 'call_1',
    name: 'update_plan',
    arguments: JSON.stringify({ plan: [{ step: 'Say hello', status: 'completed' }] }),
  }
  const [created, completed] = edges(model)
  const done = { type: 'response.output_item.done', output_index: 0, item }
  sendAll(socket, [created, done, completed])
}

/** Refuses because the member is used up. */
export const refuses: Turn = (socket) => sendAll(socket, [{ type: 'error', status: 429, error: usedUp }])

/** The events with which an answer begins and ends. */
function edges(model: string): unknown[] {
  const all = responseEvents(model).map(({ data }) => data)
  return [all[0], all.at(-1)]
}

function sendAll(socket: WebSocket, messages: readonly unknown[]): void {
  for (const message of messages) socket.send(JSON.stringify(message))
}
