import { z } from 'zod'
import type { Clock } from '../clock/clock.ts'
import type { Config, Setting } from '../config/config.ts'
import type { LiveCredentials } from '../credential/credential.ts'
import type { Checker, Commands, Engine, Prober, Views } from '../engine/engine.ts'
import type { Keyring } from '../keys/keys.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { OpenIncident } from '../notify/notify.ts'
import type { Outbound } from '../outbound/outbound.ts'
import type { Actor, At } from '../pool/pool.ts'
import type { Store, Write } from '../store/store.ts'
import type { Vault } from '../vault/vault.ts'
import type { Guard } from './guard.ts'
import type { JobBook } from './jobbook.ts'
import type { LoginAttempts } from './login-attempts.ts'
import type { Notices } from './notices.ts'

/** Files that belong to this installation, as absolute paths. */
export interface Paths {
  readonly data: string
  readonly masterKey: string
  readonly database: string | null
  /** null: no configuration file; everything is at its default. */
  readonly config: string | null
}

/** What the program runs on. */
export interface Runtime {
  /** The version of Node, without a `v`. */
  readonly node: string
  /** Whether plain requests are read with node's own parser, past node:http; null where no daemon runs. */
  readonly fastPath: boolean | null
  /** The connections to upstreams; absent where no daemon runs. */
  upstreams?(): readonly {
    readonly origin: string
    readonly open: number
    readonly most: number
    readonly waiting: number
    readonly refused: number
  }[]
}

/** What the verbs work with; the composition root provides it. */
export interface OpsDeps {
  readonly engine: Commands & Views & Pick<Engine, 'tell' | 'flush' | 'recall'>
  readonly store: Store
  readonly keys: Keyring
  readonly vault: Vault
  readonly credentials: Pick<
    LiveCredentials,
    | 'add'
    | 'remove'
    | 'ready'
    | 'retry'
    | 'problems'
    | 'problemOf'
    | 'findLogin'
    | 'beginLogin'
    | 'install'
    | 'current'
    | 'identityOf'
    | 'endsAt'
  >
  readonly prober: Prober & Checker
  readonly guard: Guard
  readonly notices: Notices
  /** What went through; absent where only the store knows. */
  readonly ledger?: Pick<Ledger, 'sums' | 'cachedShare' | 'pricesAt'>
  /** How other hosts are reached. */
  readonly outbound: Outbound
  readonly clock: Clock
  readonly version: string
  readonly runtime: Runtime
  readonly paths: Paths
  /** The configuration in force. */
  config(): Config
  /** When the daemon began; null offline, where nothing lives longer than the command. */
  readonly startedAt: At | null
  /** Where the data plane listens, `http://127.0.0.1:8460` style; offline, where it would. */
  origin(): string
  /** Reads the configuration again; absent offline. */
  readonly reload?: () => Promise<ReloadResult>
  /** The configuration as it stands in its file now; absent offline. */
  readonly configNow?: () => Promise<ConfigNow>
  /** The replicas that share the store and live; absent offline. */
  readonly replicas?: () => Promise<readonly ReplicaFacts[]>
  /** Runs it while no other replica runs anything of that name; absent where there is none. */
  inTurn?<T>(name: string, run: () => Promise<T>): Promise<T>
  /** Hears of the rows that other replicas write; null where nobody else does. */
  readonly onOthers?: ((hear: (writes: readonly Write[]) => void) => void) | null
  /** The settings as a start would take them now, with where each was written; absent offline. */
  readonly settings?: () => Promise<readonly (Setting & { readonly waits: boolean })[]>
  /** The web view; null when it is switched off, absent offline. */
  readonly web?: WebFace | null
  /** Open incidents as the notifier knows them; the store's when absent. */
  readonly incidents?: () => Promise<readonly OpenIncident[]>
}

/** What a look at the file finds; it changes nothing. */
export interface ConfigNow {
  /** What is wrong, a line each. */
  readonly problems: readonly string[]
  /** The settings that differ from those in force, and change with the next start only. */
  readonly waiting: readonly string[]
}

/** A replica as the others see it. */
export interface ReplicaFacts {
  readonly name: string
  readonly version: string
  readonly startedAt: At
  readonly seenAt: At
  readonly draining: boolean
}

/** The web view as the verbs see it; it is above them, so the composition root brings the two together. */
export interface WebFace {
  readonly origin: string
  /** Why it does not listen; null while it does. */
  readonly problem: string | null
  link(): { readonly url: string; readonly expiresAt: At }
}

/** What a reload did; with `problems` the old configuration stays in force. */
export interface ReloadResult {
  readonly applied: boolean
  readonly problems: readonly string[]
}

/** One call of a verb: the parts, and who called. */
export interface Call extends OpsDeps {
  readonly actor: Actor
  readonly jobs: JobBook
  readonly logins: LoginAttempts
}

/**
 * One thing that an operator can ask for. The CLI, the admin API and Telegram all call `run`; the admin API registers
 * `method` and `path` (`:name` parts are arguments), GET and DELETE take the other arguments from the query.
 */
export interface Verb<A extends z.ZodObject, R> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly args: A
  /** The result contains a secret: offered on the Unix socket only, and never logged. */
  readonly secret?: true
  /** It says what there is by which name, or in which order: replicas do that one after the other. */
  readonly inTurn?: true
  run(call: Call, args: z.output<A>): Promise<R>
}

/** The verb itself; this function only infers its types. */
export function verb<A extends z.ZodObject, R>(definition: Verb<A, R>): Verb<A, R> {
  return definition
}

/** A name that is looked up; whether it exists is the verb's affair. */
export const known = z.string().min(1).max(200)

/** A whole number that may arrive as text from a query string. */
export const count = z.union([
  z.int().nonnegative(),
  z
    .string()
    .regex(/^\d{1,15}$/, 'expected a whole number')
    .transform(Number),
])

/** A yes or no that may arrive as text from a query string. */
export const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')])

/** A length of time in ms, at least a second and at most a year. */
export const lengthMs = z
  .int()
  .min(1_000)
  .max(365 * 86_400_000)
