import { randomBytes } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DeviceDesk } from './auth-device.ts'

/** How the server treats a refresh token that has been used before. */
export type Reuse =
  /** Refused. */
  | 'strict'
  /** Refused, and all tokens of the login are revoked. */
  | 'revoke'
  /** Accepted while it is the last one before the current one (a grace period without an end). */
  | 'grace'

/** What happened to one presented refresh token, in order; `issued` is the token that replaced it. */
export interface Entry {
  readonly seq: number
  readonly login: string | null
  readonly presented: string
  readonly result: 'granted' | 'lost' | 'refused' | 'failed'
  readonly issued: string | null
}

export interface AuthServerOptions {
  readonly reuse?: Reuse
  /** The error code of a refusal. */
  readonly refusal?: string
  /** Whether a grant replaces the refresh token. */
  readonly rotates?: boolean
  readonly expiresInSeconds?: number
  /** Each entry is appended to this file too, so that a checker can read it after everything has died. */
  readonly historyFile?: string
  /** How long each grant takes. */
  readonly delayMs?: number
}

interface Login {
  readonly name: string
  current: string
  previous: string | null
  revoked: boolean
  readonly accessTokens: Set<string>
}

/** What becomes of the next grants: `lost`: granted but never answered; a number: that status, nothing granted. */
type Trouble = 'lost' | 'hang' | number

/** An OAuth 2 authorization server with rotating refresh tokens that remembers everything it was shown. */
export class AuthServer {
  readonly history: Entry[] = []
  /** The bodies of all token requests, as the server parsed them. */
  readonly requests: { readonly contentType: string; readonly fields: Readonly<Record<string, string>> }[] = []
  readonly #options: AuthServerOptions
  readonly #server: Server
  readonly #logins: Login[] = []
  readonly #used = new Map<string, Login>()
  readonly #troubles: Trouble[] = []
  readonly #devices = new DeviceDesk()
  #barrier: { readonly size: number; readonly waiting: (() => void)[] } | null = null
  #delayMs: number
  #reuse: Reuse

  private constructor(options: AuthServerOptions) {
    this.#options = options
    this.#delayMs = options.delayMs ?? 0
    this.#reuse = options.reuse ?? 'strict'
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) =>
        response.destroy(error instanceof Error ? error : undefined),
      )
    })
  }

  /** A server that listens on a free port of the loopback interface. */
  static async start(options: AuthServerOptions = {}): Promise<AuthServer> {
    const server = new AuthServer(options)
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get tokenUrl(): string {
    return `${this.origin}/oauth/token`
  }

  /** Creates a login and returns its first tokens, as a person's browser would have brought them. */
  login(name: string): { accessToken: string; refreshToken: string; expiresAt: number } {
    const known = this.#logins.find((each) => each.name === name)
    const login = known ?? { name, current: '', previous: null, revoked: false, accessTokens: new Set<string>() }
    if (!known) this.#logins.push(login)
    login.revoked = false
    login.previous = null
    login.current = this.#mint('r')
    login.accessTokens.clear()
    return { ...this.#access(login), refreshToken: login.current }
  }

  /** From now on every token of that login is refused, access tokens included. */
  revoke(name: string): void {
    for (const login of this.#logins) {
      if (login.name !== name) continue
      login.revoked = true
      login.accessTokens.clear()
    }
  }

  /** The upstream's question: is this access token good? */
  accepts(accessToken: string): boolean {
    return this.#logins.some((login) => login.accessTokens.has(accessToken))
  }

  /** The access tokens issued so far end at once; refresh tokens stay good. */
  expireAccessTokens(): void {
    for (const login of this.#logins) login.accessTokens.clear()
  }

  /** What becomes of the next grants, one each. */
  trouble(...troubles: readonly Trouble[]): void {
    this.#troubles.push(...troubles)
  }

  /** Lets the next token requests wait until `size` of them are there; the last to come is answered first. */
  barrier(size: number): void {
    this.#barrier = { size, waiting: [] }
  }

  /** From now on used refresh tokens are treated so. */
  treatReuse(reuse: Reuse): void {
    this.#reuse = reuse
  }

  /** Answers each token request so much later. */
  delay(ms: number): void {
    this.#delayMs = ms
  }

  /** The person at the other screen agrees to (or refuses) what the device asked for. */
  decide(userCode: string, agreed: boolean): void {
    this.#devices.decide(userCode, agreed)
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.origin)
    const fields = await readFields(request)
    if (url.pathname === '/device') return json(response, 200, this.#devices.open(this.origin))
    if (url.pathname === '/authorize') return this.#authorize(url, response)
    if (url.pathname !== '/oauth/token' || request.method !== 'POST') return json(response, 404, { error: 'not_found' })
    this.requests.push({ contentType: request.headers['content-type'] ?? '', fields })
    await this.#wait()
    if (fields.grant_type === 'refresh_token') return this.#refresh(fields.refresh_token ?? '', response)
    const answer = this.#devices.redeem(fields)
    if ('error' in answer) return json(response, 400, answer)
    const tokens = this.login(answer.login)
    json(response, 200, this.#body(tokens.accessToken, tokens.refreshToken))
  }

  async #wait(): Promise<void> {
    const barrier = this.#barrier
    if (barrier) {
      await new Promise<void>((resolve) => {
        barrier.waiting.push(resolve)
        if (barrier.waiting.length < barrier.size) return
        this.#barrier = null
        // Not before all of them wait: a promise that is awaited earlier goes on earlier.
        setImmediate(() => {
          for (const go of barrier.waiting.reverse()) go()
        })
      })
    }
    if (this.#delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.#delayMs))
  }

  #refresh(presented: string, response: ServerResponse): void {
    const trouble = this.#troubles.shift()
    if (typeof trouble === 'number' || trouble === 'hang') {
      this.#note({ login: null, presented, result: 'failed', issued: null })
      if (trouble !== 'hang') json(response, trouble, { error: { code: 'server_error' } })
      return
    }
    const login = this.#whoMay(presented)
    if (!login) {
      const owner = this.#used.get(presented) ?? null
      if (owner && this.#reuse === 'revoke') this.revoke(owner.name)
      this.#note({ login: owner?.name ?? null, presented, result: 'refused', issued: null })
      json(response, 400, { error: this.#options.refusal ?? 'invalid_grant' })
      return
    }
    const access = this.#access(login)
    const issued = this.#options.rotates === false ? null : this.#rotate(login, presented)
    this.#note({ login: login.name, presented, result: trouble === 'lost' ? 'lost' : 'granted', issued })
    if (trouble === 'lost') response.destroy()
    else json(response, 200, this.#body(access.accessToken, issued))
  }

  #whoMay(presented: string): Login | undefined {
    return this.#logins.find(
      (login) =>
        !login.revoked && (login.current === presented || (this.#reuse === 'grace' && login.previous === presented)),
    )
  }

  #rotate(login: Login, presented: string): string {
    this.#used.set(login.current, login)
    login.previous = presented
    login.current = this.#mint('r')
    return login.current
  }

  #access(login: Login): { accessToken: string; expiresAt: number } {
    const expiresAt = Date.now() + this.#expiresIn() * 1000
    const claims = { exp: Math.floor(expiresAt / 1000), jti: this.#mint('a') }
    const accessToken = ['{"alg":"none"}', JSON.stringify(claims), 'unsigned'].map(base64).join('.')
    login.accessTokens.add(accessToken)
    return { accessToken, expiresAt }
  }

  #body(accessToken: string, refreshToken: string | null): Record<string, unknown> {
    const body = { access_token: accessToken, token_type: 'Bearer', expires_in: this.#expiresIn() }
    return refreshToken === null ? body : { ...body, refresh_token: refreshToken }
  }

  #authorize(url: URL, response: ServerResponse): void {
    const target = new URL(url.searchParams.get('redirect_uri') ?? '')
    target.searchParams.set('code', this.#devices.code(url.searchParams.get('code_challenge') ?? ''))
    target.searchParams.set('state', url.searchParams.get('state') ?? '')
    response.writeHead(302, { location: target.href }).end()
  }

  #expiresIn(): number {
    return this.#options.expiresInSeconds ?? 3600
  }

  #note(entry: Omit<Entry, 'seq'>): void {
    const numbered = { seq: this.history.length + 1, ...entry }
    this.history.push(numbered)
    if (this.#options.historyFile) appendFileSync(this.#options.historyFile, `${JSON.stringify(numbered)}\n`)
  }

  #mint(kind: string): string {
    return `${kind}-${randomBytes(9).toString('base64url')}`
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64url')
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(body))
}

async function readFields(request: IncomingMessage): Promise<Record<string, string>> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  const text = Buffer.concat(chunks).toString()
  if (!(request.headers['content-type'] ?? '').includes('json')) return Object.fromEntries(new URLSearchParams(text))
  const value: unknown = JSON.parse(text)
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : []
  return Object.fromEntries(entries.map(([name, each]) => [name, String(each)]))
}
