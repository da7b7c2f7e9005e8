import { type ChildProcess, fork } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AuthServer, Entry } from '../fakes/auth/auth-server.ts'
import type { Order, RefresherSetup, Said } from '../fakes/auth/refresher.ts'

const program = new URL('../../dist/test/fakes/auth/refresher.js', import.meta.url)

export type Done = Extract<Said, { said: 'done' }>

/** A process that keeps logins and does what it is told. */
export class Refresher {
  readonly child: ChildProcess
  /** The reasons for which it called for a person. */
  readonly needsLogin: string[] = []
  readonly exited: Promise<void>
  readonly #waiting = new Map<number, (done: Done) => void>()
  #orders = 0

  private constructor(setup: RefresherSetup) {
    this.child = fork(program, [JSON.stringify(setup)], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.exited = new Promise((resolve) => this.child.once('exit', () => resolve()))
  }

  /** Resolves when the process has read its logins. */
  static async start(setup: RefresherSetup): Promise<Refresher> {
    const refresher = new Refresher(setup)
    await new Promise<void>((resolve, reject) => {
      refresher.child.once('exit', (code) => reject(new Error(`the refresher ended with ${code}`)))
      refresher.child.on('message', (said: Said) => {
        if (said.said === 'ready') resolve()
        else if (said.said === 'needs-login') refresher.needsLogin.push(said.reason)
        else refresher.#waiting.get(said.id)?.(said)
      })
    })
    refresher.child.removeAllListeners('exit')
    return refresher
  }

  /** The answer to an order; one that was given to a killed process never comes. */
  order(order: Order['order'], file = 0): Promise<Done> {
    const id = ++this.#orders
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve)
      // A process that was just killed cannot be told anything, which is what the test is about.
      this.child.send({ id, order, file } satisfies Order, () => {})
    })
  }

  async kill(): Promise<void> {
    const gone = this.child.exitCode !== null || this.child.signalCode !== null
    const exited = new Promise<void>((resolve) => this.child.once('exit', () => resolve()))
    this.child.kill('SIGKILL')
    if (!gone) await exited
  }
}

/** A folder of this test with shared login files in it; `clear` removes it. */
export class Home {
  readonly folder: string
  readonly #server: AuthServer

  constructor(server: AuthServer, folder = mkdtempSync(join(tmpdir(), 'spillway-fault-'))) {
    this.folder = folder
    this.#server = server
  }

  path(name = 'auth'): string {
    return join(this.folder, `${name}.json`)
  }

  /** A person logs in: new tokens of the server in the file. */
  login(name = 'auth'): void {
    const { accessToken, refreshToken } = this.#server.login(name)
    const tokens = { access_token: accessToken, refresh_token: refreshToken, account_id: 'acc' }
    writeFileSync(this.path(name), JSON.stringify({ auth_mode: 'chatgpt', tokens, kept: true }, null, 2))
    chmodSync(this.path(name), 0o600)
  }

  refreshToken(name = 'auth'): string {
    return JSON.parse(readFileSync(this.path(name), 'utf8')).tokens.refresh_token
  }

  accessToken(name = 'auth'): string {
    return JSON.parse(readFileSync(this.path(name), 'utf8')).tokens.access_token
  }

  setup(process = 0, names: readonly string[] = ['auth']): RefresherSetup {
    return {
      files: names.map((name) => this.path(name)),
      directory: join(this.folder, `data-${process}`),
      tokenUrl: this.#server.tokenUrl,
      format: 'codex',
      kept: 'file',
    }
  }

  clear(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** What was in the file at that point of the history. */
export interface Committed {
  readonly afterSeq: number
  readonly refreshToken: string
}

/**
 * Presentations of a token that already had a committed successor: one that was seen in the file, or that was presented
 * itself (whoever presents a token has read it from the file).
 */
export function presentedTooLate(history: readonly Entry[], committed: readonly Committed[]): readonly Entry[] {
  const age = new Map<string, number>()
  for (const entry of history) {
    if (!age.has(entry.presented)) age.set(entry.presented, age.size)
    if (entry.issued !== null) age.set(entry.issued, age.size)
  }
  let newest = -1
  return history.filter((entry) => {
    for (const { afterSeq, refreshToken } of committed)
      if (afterSeq < entry.seq) newest = Math.max(newest, age.get(refreshToken) ?? -1)
    const own = age.get(entry.presented) ?? -1
    const isLate = own < newest
    newest = Math.max(newest, own)
    return isLate
  })
}

/** How often each token was presented. */
export function presentations(history: readonly Entry[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { presented } of history) counts.set(presented, (counts.get(presented) ?? 0) + 1)
  return counts
}

/** The full numbers of the fault matrix with `SPILLWAY_FULL=1`, else what a run of every day can wait for. */
export function times(full: number, usual: number): number {
  return process.env.SPILLWAY_FULL === '1' ? full : usual
}
