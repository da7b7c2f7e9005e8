import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { remoteOps } from '../../../internal/cli/cli.ts'
import type { Ops } from '../../../internal/ops/ops.ts'
import { main } from '../variants.ts'

/** One replica: a daemon of its own with its own data directory, which can be killed, frozen and started again. */
export class Replica {
  readonly name: string
  readonly port: number
  readonly data = mkdtempSync(join(tmpdir(), 'spillway-fleet-'))
  /** The end of what it said. */
  said = ''
  readonly #env: Readonly<Record<string, string>>
  #child: ChildProcess | null = null
  #ended: Promise<number | null> = Promise.resolve(null)

  constructor(parts: { name: string; port: number; masterKey: Uint8Array; env: Readonly<Record<string, string>> }) {
    this.name = parts.name
    this.port = parts.port
    this.#env = parts.env
    writeFileSync(join(this.data, 'master.key'), parts.masterKey, { mode: 0o600 })
  }

  /** Its verbs. */
  get ops(): Ops {
    return remoteOps(join(this.data, 'admin.sock'), 'operator:cli')
  }

  /** Resolves with its exit status. */
  get ended(): Promise<number | null> {
    return this.#ended
  }

  /** Begins a start. */
  spawn(): void {
    const { PATH = '', HOME = '' } = process.env
    const args = [main, '--data', this.data, 'serve', '--listen', `127.0.0.1:${this.port}`]
    const child = spawn(process.execPath, args, {
      env: { PATH, HOME, ...this.#env, SPILLWAY_NOTICES_HOST: this.name },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const hear = (bytes: Buffer) => {
      this.said = (this.said + bytes).slice(-20_000)
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    this.#child = child
    this.#ended = new Promise((resolve) => child.on('exit', (code) => resolve(code)))
  }

  /** Starts it, and waits until it is ready. */
  async start(): Promise<void> {
    this.spawn()
    await this.ready()
  }

  /** Resolves when it is ready; rejects with what it said when it ends instead. */
  async ready(): Promise<void> {
    let code: number | null | undefined
    void this.#ended.then((ended) => {
      code = ended
    })
    while (!(await this.isReady())) {
      if (code !== undefined) throw new Error(`${this.name} ended with ${code}: ${this.said.slice(-2_000)}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  isReady(): Promise<boolean> {
    return new Promise((resolve) => {
      const asked = request({ port: this.port, host: '127.0.0.1', path: '/readyz', timeout: 1_000 }, (answer) => {
        answer.resume()
        resolve(answer.statusCode === 200)
      })
      asked.on('timeout', () => asked.destroy())
      asked.on('error', () => resolve(false))
      asked.end()
    })
  }

  signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    this.#child?.kill(name)
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.#ended
  }

  async close(): Promise<void> {
    await this.kill()
    rmSync(this.data, { recursive: true, force: true })
  }
}
