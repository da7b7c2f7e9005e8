import { afterEach, beforeEach } from 'vitest'
import type { DomainEvent } from '../../internal/events/events.ts'
import type { Retention, Store, Write } from '../../internal/store/store.ts'

/** One database, as the suite needs it: opened as often as it likes, and reachable for somebody who tampers with it. */
export interface Database {
  /** Opens the Store on it; `signer` chooses one of several audit keys. */
  open(signer?: number): Promise<Store>
  /** Runs SQL beside the Store. */
  tamper(statements: string): void | Promise<void>
  remove(): void | Promise<void>
}

/** What the tests of a suite work with: a new database for each, and the Store open on it. */
export interface Bench {
  readonly database: Database
  readonly store: Store
  reopen(signer?: number): Promise<void>
  write(...writes: Write[]): Promise<readonly number[]>
  /** Writes audit rows and nothing else. */
  tell(...events: DomainEvent[]): Promise<readonly number[]>
  /** The numbers of all audit rows. */
  numbers(): Promise<number[]>
}

/** A budget that nothing exceeds. */
export const generous: Retention = { maxAgeMs: 1e12, maxRows: 1e6, maxBytes: 1e9 }

/** Sets a bench up around each test of the suite that calls it. */
export function benchOf(create: () => Promise<Database>): Bench {
  let database: Database
  let store: Store
  beforeEach(async () => {
    database = await create()
    store = await database.open()
  })
  afterEach(async () => {
    await store.close()
    await database.remove()
  })
  return {
    get database() {
      return database
    },
    get store() {
      return store
    },
    async reopen(signer) {
      await store.close()
      store = await database.open(signer)
    },
    write: (...writes) => store.commit({ writes, audit: [] }),
    tell: (...events) => store.commit({ writes: [], audit: events.map((event) => ({ event, suppressed: 0 })) }),
    numbers: async () => (await store.audit({})).map(({ seq }) => seq),
  }
}
