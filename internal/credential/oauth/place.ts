import type { Clock } from '../../clock/clock.ts'
import { editJson } from '../../edit/edit.ts'
import type { At } from '../../pool/pool.ts'
import type { CredentialRecord, RefreshRecord, SecretRecord, Write } from '../../store/store.ts'
import { Secret, type Vault } from '../../vault/vault.ts'
import { Unreadable } from '../sources/holder.ts'
import { modeWarning, readingFailed } from '../worker/reading.ts'
import type { FileCalls } from '../worker/tasks.ts'
import type { FileFormat } from './formats.ts'
import type { Ledger } from './refresh-rows.ts'
import { digestOf, jsonObject, sameTokens, type TokenSet, tokensFromText, tokensToText } from './tokens.ts'

const fileMs = 5_000
/** Room for a token set that is longer than the one before. */
const spareBytes = 16 * 1024
/** A commit of a token set takes some pages of the database's log. */
const freeBytes = 128 * 1024

/** The vault's field that holds a token set. */
export const tokensField = 'tokens'

/** Where the tokens of a login are kept, and how a new set gets there. */
export interface TokenPlace {
  /** What is wrong with the place although it can be read; null when nothing is. */
  readonly warning: string | null
  /** The tokens as they are now, whoever put them there. Rejects with Unreadable. */
  read(): Promise<TokenSet>
  /** Makes room for the next set, before a token is presented; rejects with an Error when there is none. */
  reserve(): Promise<void>
  /** Gives the room back. */
  release(): Promise<void>
  /**
   * Puts `next` in the place of `before` and writes the refresh row. `theirs`: somebody has put other tokens there
   * meanwhile, and they stay; `kept`: it is durable. Rejects with an Error when it could not be written.
   */
  keep(change: Kept): Promise<{ kind: 'kept' } | { kind: 'theirs'; tokens: TokenSet }>
  /** Puts the tokens of another login there, whatever is there; returns the rows that must be written for it. */
  install(tokens: TokenSet): Promise<readonly Write[]>
}

export interface Kept {
  readonly before: TokenSet
  readonly next: TokenSet
  readonly row: RefreshRecord
  readonly expected: number
  readonly at: At
}

/** Tokens that are sealed in the store. */
export class VaultPlace implements TokenPlace {
  readonly warning = null
  readonly #record: CredentialRecord
  readonly #vault: Vault
  readonly #ledger: Ledger

  constructor(record: CredentialRecord, vault: Vault, ledger: Ledger) {
    this.#record = record
    this.#vault = vault
    this.#ledger = ledger
  }

  async read(): Promise<TokenSet> {
    const { secrets } = await this.#ledger.read(this.#record.id)
    return openTokens(this.#vault, secrets)
  }

  async reserve(): Promise<void> {
    const free = await this.#ledger.freeBytes()
    if (free < freeBytes) throw new Error('the disk of the data directory is full')
  }

  async release(): Promise<void> {}

  async keep({ next, row, expected }: Kept): Promise<{ kind: 'kept' }> {
    const sealed = sealTokens(this.#vault, { owner: this.#record.id, generation: row.generation, tokens: next })
    await this.#ledger.write(row, expected, [sealed])
    return { kind: 'kept' }
  }

  async install(tokens: TokenSet): Promise<readonly Write[]> {
    const { id } = this.#record
    const { row } = await this.#ledger.read(id)
    const generation = (row?.generation ?? 0) + 1
    return tokenWrites(this.#vault, { id, generation, tokens, expected: row?.generation ?? null })
  }
}

/** Tokens in the file of the tool that logged in; its other fields, mode and owner stay as they are. */
export class FilePlace implements TokenPlace {
  warning: string | null = null
  readonly #clock: Clock
  readonly #path: string
  readonly #format: FileFormat
  readonly #files: FileCalls
  readonly #ledger: Ledger
  #spare: string | null = null

  constructor(path: string, format: FileFormat, context: { clock: Clock; files: FileCalls; ledger: Ledger }) {
    this.#clock = context.clock
    this.#path = path
    this.#format = format
    this.#files = context.files
    this.#ledger = context.ledger
  }

  async read(): Promise<TokenSet> {
    return (await this.#look()).tokens
  }

  async reserve(): Promise<void> {
    const { text } = await this.#read()
    const bytes = Buffer.byteLength(text) + spareBytes
    this.#spare = await this.#files.ask('reserve', { path: this.#path, bytes }, { deadlineMs: fileMs })
  }

  async release(): Promise<void> {
    const path = this.#spare
    this.#spare = null
    if (path !== null) await this.#files.ask('drop', { path }, { deadlineMs: fileMs })
  }

  async keep(change: Kept): Promise<{ kind: 'kept' } | { kind: 'theirs'; tokens: TokenSet }> {
    // A file that changes under our hands is looked at again; a tool that never rests must not hold us up.
    for (let attempt = 0; attempt < 5; attempt++) {
      const { text, tokens } = await this.#look()
      if (!isFrom(tokens, change.before) && !sameTokens(tokens, change.next)) return { kind: 'theirs', tokens }
      if (!sameTokens(tokens, change.next) && !(await this.#replace(text, change))) continue
      await this.#ledger.write(change.row, change.expected, [])
      return { kind: 'kept' }
    }
    throw new Error(`${this.#path} changes all the time`)
  }

  async install(tokens: TokenSet): Promise<readonly Write[]> {
    for (let attempt = 0; attempt < 5; attempt++) {
      const { text } = await this.#read()
      if (await this.#replace(text, { next: tokens, at: this.#clock.now() })) return []
    }
    throw new Error(`${this.#path} changes all the time`)
  }

  async #replace(before: string, change: { next: TokenSet; at: At }): Promise<boolean> {
    const after = editJson(before, this.#format.changes(change.next, change.at, jsonObject(before)))
    if (this.#spare === null) await this.reserve()
    const spare = this.#spare ?? ''
    this.#spare = null
    return (
      (await this.#files.ask('replace', { path: this.#path, spare, before, after }, { deadlineMs: fileMs })) !== null
    )
  }

  async #read(): Promise<{ text: string }> {
    try {
      const file = await this.#files.ask('read', { path: this.#path }, { deadlineMs: fileMs })
      this.warning = modeWarning(this.#path, file.mode)
      return file
    } catch (error) {
      throw new Unreadable(readingFailed(this.#path, error))
    }
  }

  async #look(): Promise<{ text: string; tokens: TokenSet }> {
    const { text } = await this.#read()
    try {
      return { text, tokens: this.#format.read(jsonObject(text)) }
    } catch (error) {
      throw new Unreadable(`${this.#path}: ${error instanceof Error ? error.message : 'it cannot be read'}`)
    }
  }
}

/** Whether tokens are still those that were presented: their refresh token is the same. */
function isFrom(tokens: TokenSet, before: TokenSet): boolean {
  return tokens.refreshToken?.reveal() === before.refreshToken?.reveal()
}

/** The sealed row of a token set. */
export function sealTokens(
  vault: Vault,
  { owner, generation, tokens }: { owner: string; generation: number; tokens: TokenSet },
): SecretRecord {
  const context = { owner, field: tokensField, generation }
  return { ...context, sealed: vault.seal(new Secret(tokensToText(tokens)), context) }
}

/** The token set among a credential's sealed rows; throws Unreadable. */
export function openTokens(vault: Vault, rows: readonly SecretRecord[]): TokenSet {
  const row = rows.find((each) => each.field === tokensField)
  if (!row) throw new Unreadable('the vault holds no tokens for it')
  try {
    return tokensFromText(vault.open(row.sealed, row).reveal())
  } catch (error) {
    throw new Unreadable(error instanceof Error ? error.message : 'the sealed tokens cannot be opened')
  }
}

/** What a new login of a credential writes into the vault: the sealed tokens and a refresh row without a past. */
export function tokenWrites(
  vault: Vault,
  { id, generation, tokens, expected }: { id: string; generation: number; tokens: TokenSet; expected: number | null },
): readonly Write[] {
  const row = { id, generation, intent: null, refused: null, failures: 0, nextAttemptAt: 0 }
  return [
    { put: 'refresh', row, expected },
    { put: 'secret', row: sealTokens(vault, { owner: id, generation, tokens }) },
  ]
}

/** The digest of the refresh token; null when there is none. */
export function refreshDigest(tokens: TokenSet): string | null {
  return tokens.refreshToken && digestOf(tokens.refreshToken)
}
