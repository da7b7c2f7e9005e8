import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Secret } from '../../vault/vault.ts'
import type { Address } from './address.ts'

type Variables = Readonly<Record<string, string | undefined>>

/** The password that the environment has: `PGPASSWORD`, or one in `PGPASSFILE` (else `~/.pgpass`); null where there is none. */
export function passwordFrom(env: Variables, address: Address): Secret | null {
  const file = env.PGPASSFILE ?? join(env.HOME ?? homedir(), '.pgpass')
  const found = env.PGPASSWORD || passwordIn(textOf(file), address)
  return found ? new Secret(found) : null
}

/** The password of the first line of a password file that fits (PostgreSQL, libpq, "The Password File"). */
export function passwordIn(text: string, { host, port, database, user }: Address): string | undefined {
  const asked = [host.startsWith('/') ? 'localhost' : host, String(port), database, user]
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#')) continue
    const [password, ...rest] = fieldsOf(line).reverse()
    const names = rest.reverse()
    if (names.length !== asked.length) continue
    if (names.every((name, i) => name === '*' || name === asked[i])) return password
  }
  return undefined
}

/** The fields of a line; a colon and a backslash inside of one have a backslash before them. */
function fieldsOf(line: string): string[] {
  const fields = line.match(/(?:\\.|[^:\\])*(?::|$)/g)?.slice(0, 5) ?? []
  return fields.map((field) => field.replace(/:$/, '').replace(/\\(.)/g, '$1'))
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
