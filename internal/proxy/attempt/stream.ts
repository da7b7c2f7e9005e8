import type { Dialect } from '../../dialect/dialect.ts'
import type { At, Outcome } from '../../pool/pool.ts'
import { EventReader } from './event-reader.ts'

/** How many bytes of events that carry no content may come before a stream counts as begun (docs/failover.md, "Replay"). */
export const maxLifecycle = 4_194_304
/** The same for bytes of which it cannot be told yet what they are. */
const maxUnknown = 65_536

/** Looks at the beginning of a stream until an event says whether it is an answer or an error. */
export class Opening {
  readonly #dialect: Dialect
  readonly #oauth: boolean | undefined
  readonly #reader = new EventReader()
  #bytes = 0

  /** `oauth`: whether the credential is an OAuth token; left out: what is usual. */
  constructor(dialect: Dialect, oauth?: boolean) {
    this.#dialect = dialect
    this.#oauth = oauth
  }

  /** `content`: the answer has begun, or is too long to wait for that; an outcome: it is an error; null: nothing decisive has come yet. */
  read(chunk: Buffer, now: At): 'content' | Outcome | null {
    this.#bytes += chunk.length
    for (const event of this.#reader.push(chunk)) {
      const meaning = this.#dialect.classifyEvent(event, now, this.#oauth)
      if (meaning !== 'lifecycle') return meaning
    }
    return this.#bytes >= maxLifecycle || this.#isUnknown(now) ? 'content' : null
  }

  #isUnknown(now: At): boolean {
    return this.#reader.unfinished >= maxUnknown && !mayBeLong(this.#reader.unfinishedName, this.#dialect, now)
  }
}

/** Whether an event of that name is worth waiting for although it is long: it may be an error, or is one that carries no content. */
export function mayBeLong(name: string | null, dialect: Dialect, now: At): boolean {
  return name !== null && dialect.classifyEvent({ event: name, data: '' }, now) !== 'content'
}
