import type { Remedy } from './remedy.ts'

/** Why a command was not carried out; the CLI turns it into an exit code and the admin API into a status. */
export type RefusalCode =
  | 'not-found' // nothing of that name: exit 3, HTTP 404
  | 'conflict' // it cannot be done in this state: exit 4, HTTP 409
  | 'invalid' // the arguments are wrong: exit 2, HTTP 400
  | 'try-later' // a pool cannot serve now: exit 75, HTTP 503
  | 'needs-person' // somebody must log in: exit 77, HTTP 503
  | 'failed' // it was tried and did not work: exit 1, HTTP 500

/** What an operator can do about a pool; the shells phrase it as a command. */
export interface PoolAdvice {
  readonly verb: 'add-member' | 'explain' | 'set-upstream'
  readonly pool: string
}

/** A command that is refused with a sentence for the operator, and nothing changed. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  /** What the operator can do about it; null when there is nothing to add. */
  readonly hint: string | Remedy | PoolAdvice | null

  constructor(code: RefusalCode, message: string, hint: Refusal['hint'] = null) {
    super(message)
    this.code = code
    this.hint = hint
  }
}
