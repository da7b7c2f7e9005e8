import type { IncomingMessage, ServerResponse } from 'node:http'

const credentialHeaders = ['authorization', 'x-api-key', 'x-goog-api-key', 'api-key']

/** One request as the fake upstream saw it. */
export class Recorded {
  readonly method: string
  /** The request target, byte for byte. */
  readonly target: string
  readonly rawHeaders: readonly string[]
  /** The secret that was presented, without its scheme; null when there was none. */
  readonly credential: string | null
  /** Resolves with the whole body; also when the sender went away (then with what had come). */
  readonly whole: Promise<Buffer>
  /** Resolves when the answer was sent, or the connection closed before that. */
  readonly ended: Promise<'answered' | 'aborted'>
  body: Buffer = Buffer.alloc(0)
  over = false

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.method = request.method ?? ''
    this.target = request.url ?? ''
    this.rawHeaders = request.rawHeaders
    this.credential = presented(request)
    this.whole = this.#read(request)
    this.ended = new Promise((resolve) => {
      response.on('close', () => {
        this.over = true
        resolve(response.writableFinished ? 'answered' : 'aborted')
      })
    })
  }

  /** Path without the query. */
  get path(): string {
    return this.target.split('?')[0] ?? ''
  }

  /** A canonical probe rather than work: it lists models. */
  get isProbe(): boolean {
    return this.method === 'GET' && this.path.endsWith('/models')
  }

  /** All values of a header, in order. */
  headers(name: string): string[] {
    const values: string[] = []
    for (let at = 0; at < this.rawHeaders.length; at += 2) {
      if (this.rawHeaders[at]?.toLowerCase() === name.toLowerCase()) values.push(this.rawHeaders[at + 1] ?? '')
    }
    return values
  }

  /** The only value of a header, or null. */
  header(name: string): string | null {
    return this.headers(name)[0] ?? null
  }

  /** The body as JSON; an empty object when it is not JSON. */
  get json(): Record<string, unknown> {
    try {
      return JSON.parse(this.body.toString())
    } catch {
      return {}
    }
  }

  #read(request: IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = []
    return new Promise((resolve) => {
      const done = () => {
        this.body = Buffer.concat(chunks)
        resolve(this.body)
      }
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', done)
      request.on('error', done)
    })
  }
}

function presented(request: IncomingMessage): string | null {
  for (const name of credentialHeaders) {
    const value = request.headers[name]
    if (typeof value === 'string') return value.replace(/^Bearer\s+/i, '')
  }
  return new URL(request.url ?? '/', 'http://upstream').searchParams.get('key')
}
