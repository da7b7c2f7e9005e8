import type { Tokens } from '../../dialect/dialect.ts'

/** Whose answer it was: what usage is added up by. */
export interface Served {
  readonly pool: string
  /** The name of the client key. */
  readonly key: string
  readonly member: string
  readonly provider: string
  /** As the request names it, else as the answer does; null where neither tells. */
  readonly model: string | null
}

/** Adds up what goes through; `ledger` implements it. Nothing of it waits. */
export interface Books {
  /** Whether anything is added up: otherwise no answer is looked into for it. */
  readonly isOpen: boolean
  /** One answer of a member has ended; null: it did not tell its tokens. */
  note(served: Served, tokens: Tokens | null): void
}

/** Adds nothing up. */
export const noBooks: Books = { isOpen: false, note() {} }
