import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { LoginFlow } from '../credential/credential.ts'
import { Refusal } from '../pool/pool.ts'
import type { CredentialRecord } from '../store/store.ts'
import { credentialNamed } from './find.ts'
import { instant } from './present.ts'
import { type Call, known, verb } from './verb.ts'

/** How long one question about a login may wait for the person. */
const waitMs = 20_000

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
export class LoginDesk {
  readonly #attempts = new Map<string, Attempt>()

  /** Begins a login in place of the one that may be under way; its tokens are installed as soon as they are there. */
  async begin(call: Call, record: CredentialRecord): Promise<LoginShape> {
    const flow = await call.credentials.beginLogin(record)
    this.#attempts.get(record.id)?.cancel('another login of it was begun')
    const attempt = new Attempt(flow, (tokens) => installed(call, record, tokens))
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

function installed(call: Call, record: CredentialRecord, tokens: Tokens): Promise<void> {
  return call.credentials.install(record, tokens, (writes) =>
    call.engine.renewCredential(record.name, 'login', () => writes, call.actor),
  )
}

/** The place of the tokens may fail in its own words, which hold no secret. */
function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  return new Refusal('failed', error instanceof Error ? error.message : 'the tokens could not be kept')
}

const named = z.strictObject({ name: known })
const attempted = z.strictObject({ name: known, flow: known })

const credLogin = verb({
  method: 'POST',
  path: '/v1/credentials/:name/login',
  args: named,
  async run(call, { name }): Promise<LoginShape> {
    const { record } = credentialNamed(call.engine, name)
    if (record.auth !== 'oauth')
      throw new Refusal('conflict', `${name} is a key, not a login`, `spillway cred login ${name} asks for a new one`)
    return call.logins.begin(call, record)
  },
})

/** Answers when the login is over, or after `waitMs` that it is not. */
const credLoginWait = verb({
  method: 'GET',
  path: '/v1/credentials/:name/login',
  args: attempted,
  async run(call, { name, flow }): Promise<{ name: string; state: 'waiting' | 'done' }> {
    const attempt = call.logins.attempt(credentialNamed(call.engine, name).record, flow)
    let cancel = () => {}
    const late = new Promise<void>((resolve) => {
      cancel = call.clock.after(waitMs, resolve)
    })
    await Promise.race([attempt.over, late])
    cancel()
    return { name, state: attempt.state }
  },
})

/** Takes the address at which a browser on another machine ended up, or the code that it showed. */
const credLoginPaste = verb({
  method: 'PUT',
  path: '/v1/credentials/:name/login',
  args: z.strictObject({ name: known, flow: known, address: z.string().min(1).max(16_384) }),
  async run(call, { name, flow, address }): Promise<{ name: string }> {
    call.logins.attempt(credentialNamed(call.engine, name).record, flow).flow.paste(address)
    return { name }
  },
})

const credLoginCancel = verb({
  method: 'DELETE',
  path: '/v1/credentials/:name/login',
  args: attempted,
  async run(call, { name, flow }): Promise<{ name: string }> {
    call.logins.attempt(credentialNamed(call.engine, name).record, flow).cancel('the login was cancelled')
    return { name }
  },
})

export const loginVerbs = { credLogin, credLoginWait, credLoginPaste, credLoginCancel }
