import { z } from 'zod'
import { within } from '../../clock/clock.ts'
import { Refusal } from '../../pool/pool.ts'
import { credentialNamed } from '../find.ts'
import type { LoginShape } from '../login-attempts.ts'
import { known, verb } from '../verb.ts'

/** How long one question about a login may wait for the person. */
const waitMs = 20_000

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
    await within(call.clock, waitMs, attempt.over, undefined)
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
