import type { Clock } from '../clock/clock.ts'
import { directly, type Outbound } from '../outbound/outbound.ts'
import type { At, Reason } from '../pool/pool.ts'
import type { CredentialRecord, SecretRecord, Store } from '../store/store.ts'
import type { Vault } from '../vault/vault.ts'
import type { Verdicts } from './material.ts'
import type { LoginSettings } from './oauth/endpoint.ts'
import { type Locking, Locks } from './oauth/locks.ts'
import type { Refreshed } from './oauth/refresh.ts'
import { Ledger } from './oauth/refresh-rows.ts'
import { SharedLocks, type Turns } from './oauth/shared-locks.ts'
import { Unreadable } from './sources/holder.ts'
import type { FileCalls, LockCalls } from './worker/tasks.ts'
import { Watch } from './worker/watch.ts'

/** What a refresh came to, as the metrics count it. */
export type RefreshResult = Refreshed['kind']

export interface CredentialOptions {
  readonly clock: Clock
  readonly vault: Vault
  readonly store: Pick<Store, 'commit' | 'refreshState' | 'space'>
  /** The data directory: lock databases live in its folder `locks`. */
  readonly directory: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** The configuration's `oauth` section, as it is now. */
  readonly oauth: () => Readonly<Record<string, LoginSettings | undefined>>
  readonly verdicts: Verdicts
  /** Is told of errors that concern no request. */
  readonly warn: (message: string, credential: string, error: unknown) => void
  /** Is told what each refresh came to. */
  readonly refreshed?: (credential: CredentialRecord, result: RefreshResult) => void
  /** Is told when the tokens of a login are another account's than before. */
  readonly changedAccount?: (credential: CredentialRecord, change: AccountChange) => void
  /** Between 0 and 1, for jitter. */
  readonly random: () => number
  /** How authorization servers are reached; directly when absent. */
  readonly outbound?: Outbound
  /** Says what a secret is that must not go upstream, as `a client key of …`; null: it may. */
  readonly refuses?: (secret: string) => string | null
  /** Gives turns at refreshing where other replicas may do it, too; absent: nobody else does. */
  readonly turns?: Turns
  /** Whether what sources hold is remembered, so that a change is noticed; only in the process that serves. */
  readonly follows?: boolean
  /** How many refreshes upstreams may force by refusing live tokens, per login; 3 in 3 minutes. */
  readonly forced?: { readonly most: number; readonly withinMs: number }
}

/** What every holder needs from the process around it. Telling the engine never throws and is not waited for. */
export interface CredentialContext {
  readonly clock: Clock
  /** Between 0 and 1, for jitter. */
  readonly random: () => number
  readonly files: FileCalls
  readonly commands: FileCalls
  readonly watch: Watch
  readonly locks: Locking
  readonly ledger: Ledger
  readonly outbound: Outbound
  /** How many refreshes upstreams may force by refusing live tokens. */
  readonly forced: { readonly most: number; readonly withinMs: number }
  /** Lets the logins' `tick` be called at that instant (or a little later), and then as `dueAt` says. */
  wake(at: At): void
  /** Throws Unreadable, which names `where`, for a secret that must not go upstream. */
  check(secret: string, where: string): void
  /** Whether what sources hold is remembered. */
  readonly follows: boolean
  /** Writes sealed rows of a credential; resolves when they are durable or that could not be done. */
  keep(record: CredentialRecord, rows: readonly SecretRecord[]): Promise<void>
  engineView(record: CredentialRecord): ReturnType<Verdicts['engineView']>
  /**
   * Another secret is there: `us`: refreshed by spillway; `others`: by somebody else; `another`: of another identity,
   * whose limits are not the old ones.
   */
  replaced(record: CredentialRecord, by: 'us' | 'others' | 'another'): void
  /** Nothing but a person helps; `engineView` is from before the attempt that showed it. */
  lapsed(record: CredentialRecord, engineView: { generation: number } | undefined, reason: Reason): void
  /** The tokens are another account's than before. */
  changedAccount(record: CredentialRecord, change: AccountChange): void
  /** For the metrics. */
  refreshed(record: CredentialRecord, result: RefreshResult): void
}

/** The accounts by name: an e-mail address, or an id. */
type AccountChange = { readonly before: string; readonly after: string }

interface Parts {
  readonly files: FileCalls
  readonly commands: FileCalls
  readonly locks: LockCalls
  readonly wake: (at: At) => void
}

/** The context of this process, with threads that are not started yet. */
export function credentialContext(options: CredentialOptions, parts: Parts): CredentialContext {
  const { clock, random, store, verdicts, warn } = options
  const settle = (record: CredentialRecord, verdict: Promise<void>) =>
    void verdict.catch((error: unknown) => warn('the engine could not be told', record.name, error))
  const ledger = new Ledger(clock, store)
  const own = new Locks(clock, random, parts.locks)
  return {
    clock,
    random,
    ...parts,
    watch: new Watch(clock, parts.files),
    locks: options.turns ? new SharedLocks(own, options.turns, clock) : own,
    ledger,
    outbound: options.outbound ?? directly,
    follows: options.follows ?? false,
    check(secret, where) {
      const what = options.refuses?.(secret) ?? null
      if (what !== null) throw new Unreadable(`${where} holds ${what}`)
    },
    keep: (record, rows) =>
      ledger.keep(rows).catch((error: unknown) => warn('what its source holds could not be kept', record.name, error)),
    forced: options.forced ?? { most: 3, withinMs: 180_000 },
    engineView: (record) => verdicts.engineView(record),
    replaced(record, by) {
      const health = verdicts.engineView(record)?.health
      if (!health || (health.state === 'disabled' && health.by === 'operator')) return
      const isOut = needsMaterial(health.state) || (by !== 'us' && outBut(health.state))
      if (isOut || (by === 'another' && health.state !== 'healthy')) settle(record, verdicts.replaced(record, 'login'))
      else if (by === 'another') settle(record, verdicts.replaced(record, 'refresh'))
    },
    lapsed(record, engineView, reason) {
      if (engineView) settle(record, verdicts.needsLogin(record, engineView.generation, reason))
    },
    changedAccount: (record, change) => options.changedAccount?.(record, change),
    refreshed: (record, result) => options.refreshed?.(record, result),
  }
}

/** Out for want of a secret, so that any secret ends it. */
function needsMaterial(state: string): boolean {
  return state === 'needs-login' || state === 'unreadable'
}

/** Out for a reason that another secret may have removed. */
function outBut(state: string): boolean {
  return state === 'suspect' || state === 'disabled'
}
