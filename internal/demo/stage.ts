import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const endings = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const

/** A member as `pool status --json` shows it. */
export interface Member {
  readonly name: string
  readonly active: boolean
  readonly health: { readonly state: string; readonly reason: string | null; readonly until: string | null }
  readonly park: { readonly until: string | null } | null
  readonly requests: number
}

export interface PoolView {
  readonly active: string | null
  readonly retryAt: string | null
  readonly members: readonly Member[]
}

/** A real spillway in a directory of its own, driven through its command line as an operator would. */
export class Stage {
  readonly #data = mkdtempSync(join(tmpdir(), 'spillway-demo-'))
  readonly #program: string
  #daemon: ChildProcess | null = null

  /** `program` is the path of its main module. */
  constructor(program: string) {
    this.#program = program
    // A terminal that is closed, or a time that is up, ends the demo and what it has started.
    for (const signal of endings) process.once(signal, this.#abandon)
  }

  /** Runs one command and resolves with what it printed. */
  run(args: readonly string[], input = ''): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = execFile(
        process.execPath,
        [this.#program, '--data', this.#data, ...args],
        (error, stdout, stderr) => {
          if (error) reject(new Error(`spillway ${args.join(' ')}: ${stderr.trim()}`))
          else resolve(stdout)
        },
      )
      child.stdin?.end(input)
    })
  }

  /** Runs one command to its end, whatever that is. */
  ended(args: readonly string[]): Promise<{ code: number; said: string }> {
    return new Promise((resolve) => {
      const child = execFile(process.execPath, [this.#program, '--data', this.#data, ...args], (_, __, stderr) =>
        resolve({ code: child.exitCode ?? 1, said: stderr.trim() }),
      )
    })
  }

  /** Starts the daemon on a free port and resolves with its address. */
  async serve(): Promise<string> {
    const env = { ...process.env, SPILLWAY_POOLS_MAX_WAIT_MS: '500ms', SPILLWAY_WEB_LISTEN: 'null' }
    const args = [this.#program, '--data', this.#data, 'serve', '--listen', '127.0.0.1:0']
    const daemon = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'ignore'] })
    this.#daemon = daemon
    for await (const line of createInterface({ input: daemon.stdout })) {
      const origin = /http:\/\/[\d.]+:\d+/.exec(line)?.[0]
      if (origin) {
        daemon.stdout.resume()
        return origin
      }
    }
    throw new Error('the daemon did not start')
  }

  async pool(name: string): Promise<PoolView> {
    return JSON.parse(await this.run(['pool', 'status', name, '--json'])) as PoolView
  }

  readonly #abandon = (): void => {
    this.#daemon?.kill('SIGKILL')
    rmSync(this.#data, { recursive: true, force: true })
    process.exit(1)
  }

  async close(): Promise<void> {
    for (const signal of endings) process.off(signal, this.#abandon)
    const daemon = this.#daemon
    if (daemon && daemon.exitCode === null) {
      const over = new Promise((resolve) => daemon.once('exit', resolve))
      daemon.kill('SIGTERM')
      await over
    }
    rmSync(this.#data, { recursive: true, force: true })
  }
}
