import type { IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'

/** How a WebSocket was closed. */
export interface Ended {
  readonly code: number
  readonly reason: string
}

/** A client's WebSocket that keeps what it hears. */
export class WebSocketClient {
  readonly socket: WebSocket
  readonly heard: string[] = []
  readonly ended: Promise<Ended>
  readonly refused: Promise<{ status: number; headers: IncomingMessage['headers']; text: string }>
  readonly opened: Promise<void>

  constructor(url: string, protocols: string[], headers: Record<string, string>) {
    // The certificate of the stories is signed by nobody but itself.
    this.socket = new WebSocket(url, protocols, { headers, rejectUnauthorized: false })
    this.socket.on('message', (data) => this.heard.push(data.toString()))
    this.socket.on('error', () => {})
    this.opened = new Promise((resolve) => this.socket.on('open', () => resolve()))
    this.ended = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
    })
    this.refused = new Promise((resolve) => {
      this.socket.on('unexpected-response', (_request, response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString()
        })
        response.on('close', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
      })
    })
  }
}

/** What of an upgrade request a story may want to change. */
export interface Wish {
  /** Below the pool. */
  readonly path?: string
  readonly protocols?: string[]
  readonly headers?: Record<string, string>
  /** null: none. */
  readonly key?: string | null
  readonly scheme?: 'ws' | 'wss'
}

/** Asks the pool of a rig for a WebSocket. */
export function connectTo(rig: { readonly port: number; readonly key: string }, wish: Wish = {}): WebSocketClient {
  const { path = '/v1/realtime?model=gpt-realtime', protocols = [], headers = {}, key = rig.key, scheme = 'ws' } = wish
  const all = key === null ? headers : { authorization: `Bearer ${key}`, ...headers }
  return new WebSocketClient(`${scheme}://127.0.0.1:${rig.port}/pool${path}`, protocols, all)
}
