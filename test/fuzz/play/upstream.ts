import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { selfSigned } from '../../fakes/upstream/certificate.ts'
import { filled, poolOf } from '../cases/answers.ts'
import type { Plan, Request } from '../cases/case.ts'

/** One request of a case as upstreams meet it, and what was wrong with that. */
export class Expected {
  readonly request: Request
  /** The pool that the case is played in, which no other case of its round has. */
  readonly pool: string
  readonly faults: string[] = []
  /** The secrets it came with, one for each attempt. */
  readonly secrets: string[] = []
  /** What came behind an upgrade. */
  tunnel = ''

  constructor(request: Request, pool: string) {
    this.request = request
    this.pool = pool
  }
}

const nonceForm = /N[0-9a-f]{11}/

const countOf = (head: string, header: RegExp) => head.match(header)?.length ?? 0
const hosts = /\r\nhost:/gi
const authorizations = /\r\nauthorization:/gi
const frames = /\r\n(?:content-length|transfer-encoding):/gi
const ofTheHop = /\r\n(?:expect|trailer|te):/i

/** An upstream that is bare TCP, or bare TLS, and does for each request what its case says. */
export class FuzzUpstream {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #connections = new Set<UpstreamConnection>()
  /** The requests of the cases that are under way, by their nonces. */
  readonly book = new Map<string, Expected>()
  /** Pools of cases with spoilt bytes: one of them may have made somebody else's nonce of its own. */
  readonly spoilt = new Set<string>()
  /** Faults of requests that no case has made. */
  readonly faults: string[] = []
  /** Grows whenever something happens. */
  activity = 0
  /** Grows with each request. */
  requests = 0
  clientKey = ''

  readonly #isSecure: boolean

  private constructor(server: Server, isSecure: boolean) {
    this.#server = server
    this.#isSecure = isSecure
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket))
      if (!isSecure) this.#serve(socket, socket)
    })
    server.on('secureConnection', (socket: TLSSocket) => {
      const under = [...this.#sockets].find(({ remotePort }) => remotePort === socket.remotePort)
      if (under) this.#serve(socket, under)
    })
  }

  static start(isSecure: boolean): Promise<FuzzUpstream> {
    // Half open, whoever leaves before its handshake would stay for as long as that may take.
    const server: Server = isSecure
      ? createTlsServer({ noDelay: true, ...selfSigned })
      : createServer({ allowHalfOpen: true, noDelay: true })
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', 1_024, () => resolve(new FuzzUpstream(server, isSecure)))
    })
  }

  get url(): string {
    return `${this.#isSecure ? 'https' : 'http'}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Connections that are open, also those that have not finished their TLS handshake. */
  get connections(): number {
    return this.#sockets.size
  }

  #serve(socket: Socket, under: Socket): void {
    const connection = new UpstreamConnection(socket, under, this)
    this.#connections.add(connection)
    socket.on('close', () => {
      this.#connections.delete(connection)
      under.destroy()
    })
  }

  /** Goes on with answers that come in pieces; whether there are any. */
  turn(): boolean {
    let isBusy = false
    for (const connection of this.#connections) if (connection.turn()) isBusy = true
    return isBusy
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}

interface Reading {
  readonly expected: Expected
  readonly plan: Plan
  readonly secret: string
  readonly framing: { length: number } | 'chunks'
  body: string
  isComplete: boolean
}

const canned = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"data":[]}'

class UpstreamConnection {
  readonly #socket: Socket
  /** What is under TLS; the same without it. */
  readonly #under: Socket
  readonly #upstream: FuzzUpstream
  #text = ''
  #reading: Reading | null = null
  /** What is still to be written of the present answer; null: none has begun. */
  #pieces: string[] | null = null
  #isDone = false
  #isTunnel = false

  constructor(socket: Socket, under: Socket, upstream: FuzzUpstream) {
    this.#socket = socket
    this.#under = under
    this.#upstream = upstream
    socket
      .on('data', (chunk: Buffer) => this.#take(chunk.toString('latin1')))
      .on('end', () => this.#left())
      .on('error', () => {})
  }

  turn(): boolean {
    if (!this.#pieces?.length) return false
    this.#next()
    return true
  }

  #left(): void {
    this.#upstream.activity++
    this.#socket.end()
  }

  #take(text: string): void {
    this.#upstream.activity++
    if (this.#isTunnel && this.#reading) {
      this.#reading.expected.tunnel += text
      return
    }
    this.#text = this.#text === '' ? text : this.#text + text
    while (this.#step()) {}
  }

  #step(): boolean {
    if (!this.#reading) return this.#text !== '' && this.#head()
    if (this.#reading.isComplete) return false
    return this.#body(this.#reading)
  }

  #fault(what: string): false {
    const said = `the upstream met ${what}: ${JSON.stringify(this.#text.slice(0, 300))}`
    const { faults } = this.#reading?.expected ?? this.#upstream
    faults.push(said)
    this.#socket.destroy()
    this.#text = ''
    return false
  }

  #head(): boolean {
    const end = this.#text.indexOf('\r\n\r\n')
    if (end === -1) return false
    const head = this.#text.slice(0, end + 2)
    if (head.includes(this.#upstream.clientKey)) return this.#fault('a client key')
    const [, method = '', target = ''] = /^([A-Z-]+) (\S+) HTTP\/1\.1\r\n/.exec(head) ?? []
    if (target === '') return this.#fault('no request')
    const [nonce] = nonceForm.exec(target) ?? []
    const expected = nonce === undefined ? undefined : this.#upstream.book.get(nonce)
    if (!expected) return this.#unknown(target)
    this.#upstream.requests++
    const [, secret = ''] = /\r\nauthorization: Bearer (\S+)\r\n/i.exec(head) ?? []
    const pool = poolOf(secret)
    if (pool !== expected.pool && this.#upstream.spoilt.has(pool)) return this.#unknown(target)
    const { plans } = expected.request
    const plan = plans[Math.min(expected.secrets.length, plans.length - 1)]
    if (expected.request.isSpoilt && !plan) return this.#unknown(target)
    if (!plan || (expected.request.goes.to === 'nobody' && !expected.request.isSpoilt)) {
      expected.faults.push(`a request that was to reach nobody reached the upstream: ${expected.request.name}`)
      return this.#fault('a request that was to reach nobody')
    }
    this.#text = this.#text.slice(end + 4)
    this.#reading = { expected, plan, secret, framing: framingOf(head), body: '', isComplete: false }
    this.#judge(head, method)
    expected.secrets.push(secret)
    if (plan.when === 'head') this.#answer(plan)
    return true
  }

  /** A probe, or a target that was spoilt on its way: it is the proxy's affair what it sends, not whether. */
  #unknown(target: string): boolean {
    if (!target.endsWith('/v1/models') && this.#upstream.book.size === 0)
      return this.#fault('a request that nobody has made')
    this.#text = ''
    this.#socket.write(canned)
    return false
  }

  #judge(head: string, method: string): void {
    const { expected, secret } = this.#reading as Reading
    const { request, faults, secrets } = expected
    if (request.isSpoilt) return
    if (method !== request.method) faults.push(`the upstream met ${method} in place of ${request.method}`)
    if (poolOf(secret) !== expected.pool) faults.push('the upstream met no credential of the pool')
    if (secrets.includes(secret)) faults.push('the same credential was sent twice')
    if (secrets.length >= request.plans.length) faults.push('one attempt too many')
    if (countOf(head, hosts) !== 1 || countOf(head, authorizations) !== 1)
      faults.push('the upstream met a head with doubled or missing headers')
    if (countOf(head, frames) > 1) faults.push('the upstream met two frames')
    if (ofTheHop.test(head)) faults.push('the upstream met a header of the hop')
  }

  #body(reading: Reading): boolean {
    const { framing } = reading
    if (framing === 'chunks') return this.#chunk(reading)
    const missing = framing.length - reading.body.length
    if (missing > 0 && this.#text === '') return false
    reading.body += this.#text.slice(0, missing)
    this.#text = this.#text.slice(missing)
    if (reading.body.length === framing.length) this.#complete(reading)
    return true
  }

  #chunk(reading: Reading): boolean {
    const line = this.#text.indexOf('\r\n')
    if (line === -1) return false
    const length = /^[0-9a-f]+$/i.test(this.#text.slice(0, line)) ? Number.parseInt(this.#text.slice(0, line), 16) : -1
    if (length === -1) return this.#fault('a chunk without a size')
    if (this.#text.length < line + 4 + length) return false
    reading.body += this.#text.slice(line + 2, line + 2 + length)
    this.#text = this.#text.slice(line + 4 + length)
    if (length === 0) this.#complete(reading)
    return true
  }

  #complete(reading: Reading): void {
    const { request, faults } = reading.expected
    reading.isComplete = true
    if (request.goes.to === 'upstream' && !request.isSpoilt && request.goes.body !== reading.body)
      faults.push(`the upstream met another body: ${JSON.stringify(reading.body.slice(0, 200))}`)
    if (this.#isDone) this.#rest()
    else if (reading.plan.when === 'body') this.#answer(reading.plan)
  }

  #answer(plan: Plan): void {
    this.#pieces = [...plan.pieces]
    this.#isTunnel = plan.sees?.status === 101
    this.#next()
  }

  #next(): void {
    const reading = this.#reading as Reading
    const { plan, secret } = reading
    const piece = this.#pieces?.shift()
    this.#upstream.activity++
    if (piece) this.#socket.write(plan.reflects ? filled(piece, secret) : piece, 'latin1')
    if (this.#pieces?.length) return
    if (plan.ends === 'rst') this.#under.resetAndDestroy()
    else if (plan.ends === 'fin') this.#socket.end()
    else if (!this.#isTunnel) {
      this.#isDone = true
      if (reading.isComplete) this.#rest()
    }
  }

  /** The next request of the connection may come. */
  #rest(): void {
    this.#reading = null
    this.#pieces = null
    this.#isDone = false
  }
}

function framingOf(head: string): Reading['framing'] {
  if (/\r\ntransfer-encoding: chunked\r\n/i.test(head)) return 'chunks'
  const [, length = '0'] = /\r\ncontent-length: (\d+)\r\n/i.exec(head) ?? []
  return { length: Number(length) }
}
