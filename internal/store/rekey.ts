import { sql } from 'kysely'
import type { DomainEvent } from '../events/events.ts'
import type { Vault } from '../vault/vault.ts'
import { AuditTable } from './audit-table.ts'
import { isOurAnchor, isOurHead, signedAnchor, signedHead } from './chain.ts'
import { faultOf } from './database-file.ts'
import { fingerprintEntry } from './fingerprint.ts'
import { openSqlite } from './sqlite.ts'
import { type Connection, Statements } from './statements.ts'
import { anchors, heads, meta, secrets } from './tables.ts'

/** What was sealed anew, and what could not be opened and was left as it was. */
export interface Rekeyed {
  readonly resealed: number
  readonly left: number
}

/**
 * Brings a database from one master key to another, in one transaction: secrets, the signatures at the ends of the audit
 * log, and the fingerprint; `event` becomes the audit row that says so. An end that did not carry the old signature gets no
 * new one, so that whoever broke the log is not vouched for. For the only process that has the database open.
 */
export async function rekeyDatabase(
  file: string,
  keys: { readonly from: Vault; readonly to: Vault },
  event: DomainEvent,
): Promise<Rekeyed> {
  const database = openSqlite(file, { mustExist: true, busyMs: 1_000 })
  try {
    // What is sealed under the old key is overwritten, not only unlinked.
    await sql`pragma secure_delete = on`.execute(database.db)
    const done = await database.db.transaction().execute(async (on) => {
      const statements = new Statements(on)
      const rekeyed = await resealed(on, statements, keys)
      await signAnew(on, statements, keys)
      await statements.put(on, meta, { name: fingerprintEntry, value: keys.to.keyId })
      const entry = { event, suppressed: 0, entry: `rekey.${keys.to.keyId}`, again: false }
      await new AuditTable(statements, keys.to.auditKey()).append(on, [entry])
      return rekeyed
    })
    await sql`pragma wal_checkpoint(truncate)`.execute(database.db)
    return done
  } catch (error) {
    throw faultOf(error, file)
  } finally {
    database.close()
  }
}

async function resealed(
  on: Connection,
  statements: Statements,
  { from, to }: { from: Vault; to: Vault },
): Promise<Rekeyed> {
  const counts = { resealed: 0, left: 0 }
  for (const row of await statements.find(on, secrets)) {
    const sealed = again(row, { from, to })
    if (sealed === null) counts.left++
    else {
      await statements.put(on, secrets, { ...row, sealed })
      counts.resealed++
    }
  }
  return counts
}

function again(
  row: Parameters<Vault['seal']>[1] & { sealed: Parameters<Vault['open']>[0] },
  keys: { from: Vault; to: Vault },
) {
  try {
    return keys.to.seal(keys.from.open(row.sealed, row), row)
  } catch {
    // It opened under no key before either.
    return null
  }
}

async function signAnew(
  on: Connection,
  statements: Statements,
  { from, to }: { from: Vault; to: Vault },
): Promise<void> {
  const [head] = await statements.find(on, heads)
  const [anchor] = await statements.find(on, anchors)
  if (head && isOurHead(from.auditKey(), head))
    await statements.put(on, heads, { id: 1, ...signedHead(to.auditKey(), head) })
  if (anchor && isOurAnchor(from.auditKey(), anchor))
    await statements.put(on, anchors, { id: 1, ...signedAnchor(to.auditKey(), anchor) })
}
