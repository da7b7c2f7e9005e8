import { spawn } from 'node:child_process'

export interface CommandAsk {
  readonly words: readonly [string, ...string[]]
  readonly deadlineMs: number
}

/** How a command ended: `code` is null when it was ended, by its deadline or a signal, or could not be started. */
export interface CommandAnswer {
  readonly code: number | null
  /** At most 64 KiB of what it printed. */
  readonly output: string
  /** Why there is no code, or the end of what it said on stderr; null for nothing. */
  readonly said: string | null
}

const mostOutput = 64 * 1024
const mostSaid = 300

/** Runs a program without a shell, in a process group of its own that is ended at the deadline. */
export function answered({ words, deadlineMs }: CommandAsk): Promise<CommandAnswer> {
  const [program, ...args] = words
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, cwd: '/' })
    const output = new Kept(mostOutput)
    const errors = new Kept(mostOutput)
    let said: string | null = null
    const end = (signal: NodeJS.Signals) => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal)
      } catch {
        // Gone already.
      }
    }
    const endWithUs = () => {
      end('SIGKILL')
      process.exit(0)
    }
    process.on('SIGTERM', endWithUs)
    const timer = setTimeout(() => {
      said = `no end within ${deadlineMs} ms`
      end('SIGKILL')
    }, deadlineMs)
    const finish = (code: number | null, why: string | null) => {
      clearTimeout(timer)
      process.off('SIGTERM', endWithUs)
      const last = errors.text.trim().slice(-mostSaid)
      resolve({ code, output: output.text, said: why ?? (last === '' ? null : last) })
    }
    child.stdout.on('data', (chunk: Buffer) => output.add(chunk))
    child.stderr.on('data', (chunk: Buffer) => errors.add(chunk))
    child.on('error', (error) => finish(null, error.message))
    // Not `close`: what the command left running may keep its streams open.
    child.on('exit', (code, signal) => setImmediate(() => finish(code, said ?? (signal && `ended by ${signal}`))))
  })
}

/** The beginning of a stream. */
class Kept {
  readonly #most: number
  #chunks: Buffer[] = []
  #length = 0

  constructor(most: number) {
    this.#most = most
  }

  add(chunk: Buffer): void {
    if (this.#length >= this.#most) return
    this.#chunks.push(chunk.subarray(0, this.#most - this.#length))
    this.#length += chunk.length
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8')
  }
}
