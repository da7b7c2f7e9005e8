import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../../internal/clock/clock.ts'
import { createCredentials, formatOf, type Material, tokenWrites } from '../../../internal/credential/credential.ts'
import { pristine } from '../../../internal/pool/pool.ts'
import { type CredentialRecord, openSqliteStore, type Write } from '../../../internal/store/store.ts'
import { Vault } from '../../../internal/vault/vault.ts'

/*
 * One process that keeps logins, to be forked, frozen and killed by the fault tests. It does what it is told over the
 * IPC channel, answers each order once, and says so when a login needs a person.
 */

/** How the process is set up: the login's file, its own data directory, and the token endpoint. */
export interface RefresherSetup {
  readonly files: readonly string[]
  readonly directory: string
  readonly tokenUrl: string
  readonly format: string
  /** `vault`: the logins are taken from their files into the store, and refreshed there. */
  readonly kept: 'file' | 'vault'
}

/** `renew`: refresh the login number `file` once; `again`: refresh it without end; `material`: give out what serves now. */
export interface Order {
  readonly id: number
  readonly order: 'renew' | 'again' | 'material'
  readonly file: number
}

export type Said =
  | { readonly said: 'ready' }
  | { readonly said: 'needs-login'; readonly reason: string }
  | {
      readonly said: 'done'
      readonly id: number
      readonly result: string
      readonly token: string | null
      /** What the process knows to be wrong with the login. */
      readonly problem: string | null
      /** How long it took, in ms. */
      readonly tookMs: number
    }

const vault = new Vault(randomBytes(32))
const setup = JSON.parse(process.argv[2] ?? '{}') as RefresherSetup
mkdirSync(setup.directory, { recursive: true, mode: 0o700 })
const clock = systemClock()
const store = await openSqliteStore({
  file: join(setup.directory, 'spillway.db'),
  key: { keyId: '0123456789abcdef', auditKey: new Uint8Array(32) },
  clock,
  deadlineMs: 5_000,
})
const credentials = createCredentials({
  clock,
  store,
  vault,
  directory: setup.directory,
  env: {},
  oauth: () => ({ [setup.format]: { tokenUrl: setup.tokenUrl, clientId: null } }),
  random: Math.random,
  forced: { most: Number.POSITIVE_INFINITY, withinMs: 1 },
  warn: (message, credential, error) => console.error(credential, message, error),
  verdicts: {
    engineView: () => ({ generation: 1, health: pristine }),
    needsLogin: async (_, __, reason) => say({ said: 'needs-login', reason }),
    replaced: async () => {},
  },
})
const records = setup.files.map(
  (path, i): CredentialRecord => ({
    id: `login-${i}`,
    name: `login-${i}`,
    provider: 'codex',
    baseUrl: null,
    domain: null,
    header: null,
    source: setup.kept === 'vault' ? { kind: 'vault' } : { kind: 'file', path, format: setup.format },
    oauth: { login: setup.format, tokenUrl: null, clientId: null, clientSecretFile: null, scope: null },
    auth: 'oauth',
    createdAt: 0,
  }),
)
const logins = setup.kept === 'vault' ? records.flatMap((record, i) => imported(record.id, setup.files[i] ?? '')) : []
await store.commit({ writes: [...records.map((row) => ({ put: 'credential' as const, row })), ...logins], audit: [] })
credentials.add(
  records,
  logins.flatMap((write) => ('put' in write && write.put === 'secret' ? [write.row] : [])),
)
await credentials.ready()

function imported(id: string, path: string): readonly Write[] {
  const tokens = formatOf(setup.format).read(JSON.parse(readFileSync(path, 'utf8')))
  return tokenWrites(vault, { id, generation: 1, tokens, expected: null })
}

async function obey(order: Order): Promise<void> {
  const record = records[order.file]
  if (!record) return
  const startedAt = clock.mono()
  let result = 'material'
  let material: Material | null = null
  try {
    material = await credentials.material(record)
    if (order.order !== 'material') result = await credentials.renew(record, material.generation)
    material = await credentials.material(record)
  } catch (error) {
    result = error instanceof Error ? error.message : 'failed'
  }
  if (order.order === 'again' && result === 'renewed') return obey(order)
  const tookMs = clock.mono() - startedAt
  const problem = credentials.problemOf(record)?.message ?? null
  say({ said: 'done', id: order.id, result, token: material?.injection.secret ?? null, problem, tookMs })
}

function say(said: Said): void {
  process.send?.(said)
}

process.on('message', (order: Order) => void obey(order))
process.on('disconnect', () => process.exit(0))
say({ said: 'ready' })
