import type { LoadOptions } from '../config/config.ts'
import type { Ops } from '../ops/ops.ts'
import type { Scope, Service } from '../service/service.ts'

/** Which installation a command is about, as the flags said; null where they said nothing. */
export interface Where {
  /** `--data`, absolute. */
  readonly data: string | null
  /** `--config`, absolute. */
  readonly config: string | null
}

/** The verbs of one installation: of its running daemon, or of its store opened under the lock. */
interface Opened {
  readonly ops: Ops
  close(): Promise<void>
}

export interface ServeOptions {
  /** `HOST:PORT` of the data plane; null: as configured. */
  readonly listen: string | null
  /** `HOST:PORT` of the admin API beside its socket; null: as configured. */
  readonly adminListen: string | null
}

/** What a daemon that has just begun says of itself. */
export interface Started {
  /** `http://127.0.0.1:8460` style. */
  readonly origin: string
  /** The version of Node. */
  readonly node: string
  /** Whether plain requests are read with Node's own parser. */
  readonly fastPath: boolean
  readonly data: string
  /** The path of the admin socket. */
  readonly socket: string
  /** The client key made by this start, bare; null when there was one already. */
  readonly firstKey: string | null
  readonly pools: readonly { readonly name: string; readonly provider: string }[]
  readonly credentials: number
  /** What this start has done, such as keys that are kept from now on. */
  readonly notes: readonly string[]
  /** What an operator should know, such as a repaired permission. */
  readonly warnings: readonly string[]
}

/** How this program is started again on the same installation. */
export interface Invocation {
  /** As a person types it in another terminal of the same kind. */
  readonly typed: readonly [string, ...string[]]
  /** From anywhere, whatever PATH is. */
  readonly absolute: readonly [string, ...string[]]
}

/** A backup, and what it is sealed with. */
export interface SealedFile {
  readonly file: string
  /** Asks for it: only when everything else is known to be well, so that nobody types it in vain. */
  passphrase(): Promise<string>
}

interface Initialised {
  readonly data: string
  /** The bare client key `local`; null when the directory was set up already. */
  readonly key: string | null
}

/** The stories that `demo` can show. */
export const demoStories = ['failover', 'storm'] as const
export type DemoStory = (typeof demoStories)[number]

/** What a store is, and whether it is in order. */
export interface StoreReport {
  readonly url: string
  readonly schema: number | null
  readonly newest: number
  /** The version that set the schema up. */
  readonly writtenBy: string | null
  /** Of PostgreSQL; null for SQLite. */
  readonly server: {
    readonly version: string
    readonly encrypted: boolean
    readonly latencyMs: number
    readonly isPooled: boolean
  } | null
  readonly replicas: readonly { readonly name: string; readonly version: string; readonly seenAt: number }[]
  readonly tables: readonly { readonly table: string; readonly rows: number }[]
  /** What is wrong, each with what to do; empty when all is well. */
  readonly problems: readonly { readonly what: string; readonly hint: string | null }[]
}

/** What one can do with the store itself. Every one rejects with a Refusal, or an error with a hint. */
interface StorePort {
  /** Brings the schema up to date; resolves with what it was before (null: there was none) and is now. */
  migrate(where: Where): Promise<{ readonly url: string; readonly before: number | null; readonly now: number }>
  check(where: Where): Promise<StoreReport>
  /** Copies the store at `from` (null: the one in force) to `to`; both are `store.url`s, with absolute paths. */
  copy(
    where: Where,
    ends: { readonly from: string | null; readonly to: string },
    progress: (table: string, rows: number) => void,
  ): Promise<{ readonly from: string; readonly to: string; readonly tables: readonly CopiedTable[] }>
}

/** A table that was copied, with a digest of its rows that both ends agree on. */
export interface CopiedTable {
  readonly table: string
  readonly rows: number
  readonly digest: string
  /** False: it was there already. */
  readonly written: boolean
}

/** What the command line needs from the rest of the program; the composition root implements it. */
export interface Port {
  readonly version: string
  /** Milliseconds since 1970. */
  now(): number
  /** Resolves after the given time; `status --watch` waits with it. */
  sleep(ms: number): Promise<unknown>
  /**
   * The live state: the daemon's over its socket, else the store under the data directory's lock. Rejects with
   * `Unreachable` when the lock is held but the socket is silent, with a Refusal for everything else. With `live` only a
   * daemon will do: `Unreachable` when none runs. Without `makes` nothing is made where nothing was set up.
   */
  open(where: Where, needs?: { readonly live?: boolean; readonly makes?: boolean }): Promise<Opened>
  /** The path of the data directory, whether it exists or not. */
  data(where: Where): string
  invocation(where: Where): Invocation
  /** Runs the daemon until it is told to stop; calls `started` once it listens. Resolves with the exit code. */
  serve(where: Where, options: ServeOptions, started: (facts: Started) => void): Promise<number>
  init(where: Where): Promise<Initialised>
  /** Writes one sealed file of the installation, whether a daemon runs or not; rejects with a Refusal. */
  backup(where: Where, to: SealedFile): Promise<{ readonly bytes: number; readonly notes: readonly string[] }>
  /** Makes the data directory of a backup; rejects with a Refusal. */
  restore(where: Where, from: SealedFile): Promise<unknown>
  /** Seals everything anew under a new master key; rejects with a Refusal while somebody uses the data directory. */
  rotateMasterKey(where: Where): Promise<{
    readonly before: string
    readonly after: string
    readonly resealed: number
    readonly left: number
  }>
  readonly store: StorePort
  /** How the configuration of these places is read. */
  loading(where: Where): LoadOptions
  /** The program as a service of the system; rejects with a Refusal where there can be none. */
  service(where: Where, scope: Scope): Promise<Service>
  /** Runs a command in place of this program, on its own streams; resolves with the exit code. */
  exec(command: readonly string[]): Promise<number>
  /** Opens an address in the browser of whoever is at this machine; false where there is none. */
  browse(address: string): Promise<boolean>
  /** Shows a story on a stage of its own, on a terminal that can be taken over if there is one; resolves with whether it went as it should. */
  demo(story: DemoStory, takeOver: (() => TakenTerminal) | null): Promise<boolean>
}

/** A terminal that is taken over until it is given back. */
export interface TakenTerminal {
  /** Shows these lines from the top. */
  show(text: string): void
  restore(): void
}

/** What a stream to a terminal knows of it. */
interface TerminalSize {
  readonly isTTY: boolean | undefined
  readonly columns: number | undefined
  readonly rows: number | undefined
}

/** What is around one run of the command line. */
export interface CliIo {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly stdout: NodeJS.WritableStream & Partial<TerminalSize>
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean }
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly port: Port
  /** Calls back with the exit code when the process is told to stop; returns how to be left alone again. Absent: it just ends. */
  onStop?(listener: (code: number) => void): () => void
}
