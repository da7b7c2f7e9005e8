import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { remoteOps } from '../../../internal/cli/cli.ts'
import type { Ops } from '../../../internal/ops/ops.ts'

const main = fileURLToPath(new URL('../../../dist/cmd/spillway/main.js', import.meta.url))

/** How a run of the program ended and what it printed. */
export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A daemon as a process of its own. */
export interface Served {
  readonly origin: string
  readonly process: ChildProcess
  /** Resolves with the exit code. */
  readonly ended: Promise<Ran>
}

/** The built program in a data directory of its own, run as an operator would run it. */
export class Program {
  readonly data: string
  readonly #folder = mkdtempSync(join(tmpdir(), 'spillway-program-'))
  readonly #running = new Set<ChildProcess>()
  readonly #others: Program[] = []

  constructor(data?: string) {
    this.data = data ?? join(this.#folder, 'data')
  }

  /** The same program on another data directory; it ends with this one. */
  elsewhere(data: string): Program {
    const other = new Program(data)
    this.#others.push(other)
    return other
  }

  /** A path beside the data directory. */
  beside(name: string): string {
    return join(this.#folder, name)
  }

  run(args: readonly string[], options: { input?: string; env?: Record<string, string> } = {}): Promise<Ran> {
    const child = this.#spawn(args, options.env)
    child.stdin?.end(options.input ?? '')
    return ended(child)
  }

  /** A command that runs on by itself; it ends with this program at the latest. */
  begin(args: readonly string[]): ChildProcess {
    return this.#spawn(args)
  }

  /** The verbs of the running daemon, over its admin socket. */
  get ops(): Ops {
    return remoteOps(join(this.data, 'admin.sock'), 'operator:cli')
  }

  /**
   * Starts the daemon on a free port, `under` another program such as `prlimit` if one is named; rejects with what it said
   * when it does not come up.
   */
  async serve(env: Record<string, string> = {}, under: readonly string[] = []): Promise<Served> {
    const child = this.#spawn(['serve', '--listen', '127.0.0.1:0'], env, under)
    const over = ended(child)
    const origin = await new Promise<string>((resolve, reject) => {
      let text = ''
      child.stdout?.on('data', (bytes: Buffer) => {
        text += bytes
        const found = /https?:\/\/[\d.]+:\d+/.exec(text)?.[0]
        if (found) resolve(found)
      })
      void over.then(({ stderr }) => reject(new Error(stderr)))
    })
    return { origin, process: child, ended: over }
  }

  close(): void {
    for (const child of this.#running) child.kill('SIGKILL')
    for (const other of this.#others) other.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #spawn(args: readonly string[], env: Record<string, string> = {}, under: readonly string[] = []): ChildProcess {
    const { PATH = '', HOME = '' } = process.env
    const [command = '', ...words] = [...under, process.execPath, main, '--data', this.data, ...args]
    const child = spawn(command, words, { env: { PATH, HOME, SPILLWAY_WEB_LISTEN: 'null', ...env } })
    this.#running.add(child)
    child.on('exit', () => this.#running.delete(child))
    return child
  }
}

function ended(child: ChildProcess): Promise<Ran> {
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (bytes: Buffer) => {
    stdout += bytes
  })
  child.stderr?.on('data', (bytes: Buffer) => {
    stderr += bytes
  })
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })))
}
