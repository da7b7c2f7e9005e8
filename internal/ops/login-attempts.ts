import { randomUUID } from 'node:crypto'
import type { LiveCredentials, LoginFlow } from '../credential/credential.ts'
import type { Commands } from '../engine/engine.ts'
import { type Actor, Refusal } from '../pool/pool.ts'
import type { CredentialRecord } from '../store/store.ts'
import { instant } from './present.ts'

/** What a login is begun and its tokens are installed with, for whom. */
interface LoginDeps {
  readonly credentials: Pick<LiveCredentials, 'beginLogin' | 'install'>
  readonly engine: Pick<Commands, 'renewCredential'>
  readonly actor: Actor
}

/** A login that waits for a person: what that person is shown. */
export interface LoginShape {
  name: string
  /** Names this attempt; another one for the same credential ends it. */
  flow: string
  /** `device`: open the address and enter the code; `browser`: open the address. */
  kind: 'device' | 'browser'
  url: string
  code: string | null
  until: string
}

/** One attempt to log in, from its beginning to the tokens that are in place or the reason why there are none. */
class Attempt {
  readonly id = randomUUID()
  readonly flow: LoginFlow
  /** Resolves when the login is over, one way or the other. */
  readonly over: Promise<void>
  #result: 'waiting' | 'done' | Refusal = 'waiting'
  #end: () => void = () => {}

  constructor(flow: LoginFlow, install: (tokens: Tokens) => Promise<void>) {
    this.flow = flow
    this.over = new Promise((resolve) => {
      this.#end = resolve
    })
    flow.tokens.then(install).then(
      () => this.#settle('done'),
      (error: unknown) => this.#settle(refusalOf(error)),
    )
  }

  /** Refuses when it came to nothing. */
  get state(): 'waiting' | 'done' {
    if (this.#result instanceof Refusal) throw this.#result
    return this.#result
  }

  /** Gives it up; whoever waits hears of it at once. */
  cancel(why: string): void {
    this.flow.cancel()
    this.#settle(new Refusal('failed', why))
  }

  #settle(result: 'done' | Refusal): void {
    if (this.#result === 'waiting') this.#result = result
    this.#end()
  }
}

/** The logins under way, one for each credential; they outlive the command that began them. */
export class LoginAttempts {
  readonly #attempts = new Map<string, Attempt>()

  /** Begins a login in place of the one that may be under way; its tokens are installed as soon as they are there. */
  async begin(deps: LoginDeps, record: CredentialRecord): Promise<LoginShape> {
    const flow = await deps.credentials.beginLogin(record)
    this.#attempts.get(record.id)?.cancel('another login of it was begun')
    const attempt = new Attempt(flow, (tokens) => installed(deps, record, tokens))
    this.#attempts.set(record.id, attempt)
    const { kind, url, until } = flow.prompt
    const code = flow.prompt.kind === 'device' ? flow.prompt.code : null
    return { name: record.name, flow: attempt.id, kind, url, code, until: instant(until) }
  }

  /** The attempt of that id; refuses one that is not under way any more. */
  attempt(record: CredentialRecord, id: string): Attempt {
    const found = this.#attempts.get(record.id)
    if (found?.id === id) return found
    throw new Refusal(
      'conflict',
      `that login of ${record.name} is not under way any more`,
      `spillway cred login ${record.name}`,
    )
  }

  /** Gives up whatever is under way. */
  close(): void {
    for (const attempt of this.#attempts.values()) attempt.cancel('spillway stops')
    this.#attempts.clear()
  }
}

type Tokens = Awaited<LoginFlow['tokens']>

function installed(deps: LoginDeps, record: CredentialRecord, tokens: Tokens): Promise<void> {
  return deps.credentials.install(record, tokens, (writes) =>
    deps.engine.renewCredential(record.name, 'login', () => writes, deps.actor),
  )
}

/** The place of the tokens may fail in its own words, which hold no secret. */
function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  return new Refusal('failed', error instanceof Error ? error.message : 'the tokens could not be kept')
}
