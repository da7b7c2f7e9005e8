import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What the upstream says to one key: a status, and headers and an error in OpenAI's words. */
export interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly error: { readonly message: string; readonly code: string }
}

/** The refusal of a key that has reached its limit for so many seconds. */
export function limited(seconds: number): Refusal {
  const error = { message: 'Rate limit reached', code: 'rate_limit_exceeded' }
  return { status: 429, headers: { 'retry-after': String(seconds) }, error }
}

/** The refusal of a key that was revoked. */
export const revoked: Refusal = {
  status: 401,
  headers: {},
  error: { message: 'Incorrect API key provided', code: 'invalid_api_key' },
}

const completion = {
  id: 'chatcmpl-demo',
  object: 'chat.completion',
  model: 'gpt-5',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
}
const models = { object: 'list', data: [{ id: 'gpt-5', object: 'model' }] }

/** A provider on this machine that speaks as much of OpenAI's API as the demo asks for. */
export class Upstream {
  /** How many requests came, whatever the answer. */
  requests = 0
  readonly url: string
  readonly #server: Server
  readonly #refusals = new Map<string, Refusal>()

  private constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('request', (request, response) => this.#answer(request, response))
  }

  static start(): Promise<Upstream> {
    const server = createServer()
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', () => resolve(new Upstream(server)))
    })
  }

  /** Refuses this key from now on; null serves it again. */
  refuse(key: string, refusal: Refusal | null): void {
    if (refusal === null) this.#refusals.delete(key)
    else this.#refusals.set(key, refusal)
  }

  close(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests++
    const refusal = this.#refusals.get(request.headers.authorization?.replace(/^Bearer /, '') ?? '')
    const body = refusal ? { error: refusal.error } : request.url?.endsWith('/models') ? models : completion
    request.resume()
    request.on('end', () => {
      response.writeHead(refusal?.status ?? 200, { 'content-type': 'application/json', ...refusal?.headers })
      response.end(JSON.stringify(body))
    })
  }
}
