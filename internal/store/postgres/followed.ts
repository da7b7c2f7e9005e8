import type { Write } from '../batch.ts'
import type { Table } from '../column.ts'
import * as tables from '../tables.ts'

/** A kind of row that replicas keep in memory, and so follow. */
export interface Followed {
  readonly kind: Write extends infer W ? (W extends { put: infer K } ? K : never) : never
  readonly table: Table<object>
  /** The columns that a change names. */
  readonly key: readonly string[]
  /** The write that makes a copy of the row. */
  put(row: object): Write
  /** The write that removes a copy; null where the row goes with another one. */
  drop(key: readonly string[]): Write | null
}

/** A row by its kind and the values of its key; `gone`: it is removed. */
export interface Touched {
  readonly kind: Followed['kind']
  readonly key: readonly string[]
  readonly gone: boolean
}

function follow<R extends object>(
  kind: Followed['kind'],
  table: Table<R>,
  ways: { put: (row: R) => Write; drop?: (key: readonly string[]) => Write; key?: readonly string[] },
): Followed {
  const { put, drop = () => null, key = table.key } = ways
  return { kind, table: table as unknown as Table<object>, key, put: put as Followed['put'], drop }
}

/** In the order in which a copy can be brought up to date: rows stand behind those that they refer to. */
export const followed: readonly Followed[] = [
  follow('credential', tables.credentials, {
    put: (row) => ({ put: 'credential', row }),
    drop: ([id = '']) => ({ drop: 'credential', id }),
  }),
  follow('credential-state', tables.credentialStates, { put: (row) => ({ put: 'credential-state', row }) }),
  follow('pool', tables.pools, {
    put: (row) => ({ put: 'pool', row }),
    drop: ([name = '']) => ({ drop: 'pool', name }),
  }),
  follow('pool-state', tables.poolStates, { put: (row) => ({ put: 'pool-state', row }) }),
  follow('seat', tables.seats, {
    put: (row) => ({ put: 'seat', row }),
    drop: ([pool = '', credentialId = '']) => ({ drop: 'seat', pool, credentialId }),
  }),
  follow('domain', tables.domains, { put: (row) => ({ put: 'domain', row }) }),
  follow('host', tables.hosts, {
    put: (row) => ({ put: 'host', row }),
    drop: ([host = '']) => ({ drop: 'host', host }),
  }),
  follow('key', tables.keys, { put: (row) => ({ put: 'key', row }) }),
  follow('secret', tables.secrets, {
    put: (row) => ({ put: 'secret', row }),
    drop: ([owner = '']) => ({ drop: 'secret', owner }),
    key: ['owner'],
  }),
  follow('suppressed', tables.suppressed, {
    put: (row) => ({ put: 'suppressed', ...row }),
    drop: ([signal = '']) => ({ drop: 'suppressed', signal }),
  }),
  follow('meta', tables.meta, {
    put: (row) => ({ put: 'meta', ...row }),
    drop: ([name = '']) => ({ drop: 'meta', name }),
  }),
]

/** The followed row that a write is about, as far as the write itself tells; null for a row that nobody follows. */
export function touchedBy(write: Write): Touched | null {
  if ('put' in write) {
    const key = keyOfPut(write)
    return key && { kind: write.put, key, gone: false }
  }
  const key = keyOfDrop(write)
  return key && { kind: write.drop, key, gone: true }
}

function keyOfPut(write: Extract<Write, { put: string }>): readonly string[] | null {
  switch (write.put) {
    case 'credential':
    case 'credential-state':
    case 'key':
      return [write.row.id]
    case 'pool':
    case 'pool-state':
    case 'domain':
      return [write.row.name]
    case 'seat':
      return [write.row.pool, write.row.credentialId]
    case 'host':
      return [write.row.host]
    case 'secret':
      return [write.row.owner]
    case 'meta':
      return [write.name]
    case 'suppressed':
      return [write.signal]
    case 'refresh':
    case 'usage':
    case 'incident':
    case 'outbox':
    case 'usage-sample':
      return null
  }
}

function keyOfDrop(write: Extract<Write, { drop: string }>): readonly string[] | null {
  switch (write.drop) {
    case 'credential':
      return [write.id]
    case 'pool':
    case 'meta':
      return [write.name]
    case 'seat':
      return [write.pool, write.credentialId]
    case 'host':
      return [write.host]
    case 'secret':
      return [write.owner]
    case 'suppressed':
      return [write.signal]
    case 'incident':
    case 'outbox':
      return null
  }
}
