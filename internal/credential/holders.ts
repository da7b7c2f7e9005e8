import { dirname, join } from 'node:path'
import type { CredentialRecord, SecretRecord } from '../store/store.ts'
import { Secret, type Vault } from '../vault/vault.ts'
import type { CredentialContext } from './context.ts'
import { endpointOf, type LoginSettings } from './oauth/endpoint.ts'
import { type FileFormat, formatOf } from './oauth/formats.ts'
import type { LockTarget } from './oauth/locks.ts'
import { LoginHolder } from './oauth/login-holder.ts'
import { FilePlace, openTokens, VaultPlace } from './oauth/place.ts'
import type { LoginDeps } from './oauth/refreshing.ts'
import { jsonObject } from './oauth/tokens.ts'
import { CommandHolder } from './sources/command-holder.ts'
import { FixedHolder, openKey } from './sources/fixed-holder.ts'
import { type Holder, keyLine, Unreadable } from './sources/holder.ts'
import { KeyFileHolder } from './sources/key-file-holder.ts'
import { Seen } from './sources/seen.ts'
import { VariableHolder } from './sources/variable-holder.ts'

const secretFileMs = 2_000

/** What it takes to keep a credential, beside the process around it. */
export interface Keeping {
  readonly context: CredentialContext
  readonly vault: Vault
  readonly env: Readonly<Record<string, string | undefined>>
  /** The folder of the lock databases of logins in the vault. */
  readonly locksFolder: string
  /** What the configuration says of authorization servers now. */
  readonly oauth: () => Readonly<Record<string, LoginSettings | undefined>>
}

/** The holder of a credential, by its source; `first` is the generation of its first secret. */
export function holderOf(
  keeping: Keeping,
  record: CredentialRecord,
  given: { readonly rows: readonly SecretRecord[]; readonly first: number },
): Holder {
  const { source } = record
  const { context } = keeping
  const { first, rows } = given
  switch (source.kind) {
    case 'vault':
      if (record.auth === 'oauth') return vaultLogin(keeping, record, given)
      return new FixedHolder(record, first, () => vaultKey(keeping, rows))
    case 'env': {
      const { variable, kept = false } = source
      return new VariableHolder(record, { ...keeping, variable, kept, rows, first }, context)
    }
    case 'command': {
      const seen = new Seen(record, { vault: keeping.vault, rows })
      return new CommandHolder(record, { command: source.command, first, seen }, context)
    }
    case 'file':
      if (record.auth === 'oauth')
        return fileLogin(keeping, record, { path: source.path, format: source.format, first })
      return new KeyFileHolder(
        record,
        { path: source.path, first, keyIn: keyReader(source), seen: new Seen(record, { vault: keeping.vault, rows }) },
        context,
      )
  }
}

function vaultKey({ context, vault }: Keeping, rows: readonly SecretRecord[]): Secret {
  const key = openKey(rows, vault)
  context.check(key.reveal(), 'the vault')
  return key
}

/** How the key is found in a file: its first line, or a field of a JSON file. */
function keyReader({ path, format }: { path: string; format: string }): (text: string) => string {
  if (format === 'key') return (text) => keyLine(text, path)
  return (text) => {
    const key = parsed(path, () => formatOf(format).key(jsonObject(text)))
    if (key === null) throw new Unreadable(`${path} holds no API key`)
    return keyLine(key, path)
  }
}

function parsed<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new Unreadable(`${path}: ${error instanceof Error ? error.message : 'it cannot be read'}`)
  }
}

function vaultLogin(
  keeping: Keeping,
  record: CredentialRecord,
  { rows, first }: { rows: readonly SecretRecord[]; first: number },
): Holder {
  const { context, vault } = keeping
  return new LoginHolder({
    record,
    context,
    first,
    endpoint: endpointReader(keeping, record),
    place: new VaultPlace(record, vault, context.ledger),
    lock: { id: record.id, path: join(keeping.locksFolder, `${record.id}.lock`), beside: false, marker: null },
    file: null,
    loaded: () => openTokens(vault, rows),
  })
}

function fileLogin(
  keeping: Keeping,
  record: CredentialRecord,
  { path, format, first }: { path: string; format: string; first: number },
): Holder {
  const { context } = keeping
  let known: FileFormat
  try {
    known = formatOf(format)
  } catch (error) {
    const message = error instanceof Error ? error.message : 'the file format is unknown'
    return new FixedHolder(record, first, () => {
      throw new Unreadable(message)
    })
  }
  return new LoginHolder({
    record,
    context,
    first,
    endpoint: endpointReader(keeping, record),
    place: new FilePlace(path, known, context),
    lock: fileLock(record.id, path, format),
    file: { watch: (changed) => context.watch.add(path, changed), unseen: () => context.watch.unseen(path) },
    loaded: null,
  })
}

/** Beside the file, so that every process that shares it meets there, whatever its data directory. */
function fileLock(id: string, path: string, format: string): LockTarget {
  // Claude Code locks its folder with proper-lockfile while it refreshes; the others have no lock.
  return { id, path, beside: true, marker: format === 'claude' ? `${dirname(path)}.lock` : null }
}

/** Reads what a refresh or a login of the credential needs to know of its authorization server, each time anew. */
export function endpointReader(keeping: Keeping, record: CredentialRecord): LoginDeps['endpoint'] {
  return async () => {
    const endpoint = endpointOf(record, keeping.oauth())
    const path = endpoint.clientSecretFile
    if (path === null) return { endpoint, clientSecret: null }
    const { text } = await keeping.context.files.ask('read', { path }, { deadlineMs: secretFileMs })
    return { endpoint, clientSecret: new Secret(keyLine(text, path)) }
  }
}
