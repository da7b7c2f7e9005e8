import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, statSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/** Why a file system cannot be mounted here; null when it can. */
export function mountTmpfs(at: string, size: string, cleanups: (() => unknown)[]): string | null {
  mkdirSync(at, { mode: 0o700 })
  const { status, error, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', at])
  if (status !== 0) return `no tmpfs can be mounted: ${error?.message ?? stderr}`
  cleanups.push(() => spawnSync('umount', ['-l', at]))
  return null
}

/** The data directory seen through a process of our own, which can be killed or stopped. */
export class Mirror {
  readonly #source: string
  readonly #at: string
  #process: ChildProcess | null = null

  constructor(source: string, at: string, cleanups: (() => unknown)[]) {
    this.#source = source
    this.#at = at
    for (const folder of [source, at]) mkdirSync(folder, { recursive: true, mode: 0o700 })
    cleanups.push(() => this.stale())
  }

  /** Resolves with why it is not possible, or null. */
  async mount(): Promise<string | null> {
    const before = statSync(this.#at).dev
    const made = spawn('bindfs', ['-f', this.#source, this.#at], { stdio: 'ignore' })
    this.#process = made
    let gone: string | null = null
    made.on('error', (error) => {
      gone = `bindfs is not installed: ${error.message}`
    })
    made.on('exit', () => {
      gone ??= 'bindfs cannot mount here'
    })
    for (let i = 0; i < 200 && gone === null; i++) {
      if (statSync(this.#at).dev !== before) return null
      await pause(10)
    }
    return gone ?? 'bindfs does not mount'
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name)
  }

  /** Kills the process: every access to the directory fails with ENOTCONN from now on. */
  async kill(): Promise<void> {
    const dead = new Promise((resolve) => this.#process?.on('exit', resolve))
    this.signal('SIGKILL')
    await dead
    this.#process = null
  }

  async stale(): Promise<void> {
    if (this.#process?.exitCode === null) await this.kill()
    spawnSync('umount', ['-l', this.#at])
  }
}
