import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Agent } from './agent.ts'
import { nodeFor } from './programs.ts'

/** How an agent ended, and all that it printed. */
export interface Drove {
  /** Its exit code; null when it was killed at its deadline. */
  readonly code: number | null
  readonly shown: string
}

/** Nobody listens here: an agent that calls home is refused at once. */
const sink = 'http://127.0.0.1:9'

/** Runs an agent for one prompt in a home of its own; it is killed after `deadlineMs`. */
export async function drive(
  agent: Agent,
  where: { readonly folder: string; readonly base: string; readonly key: string },
  deadlineMs: number,
): Promise<Drove> {
  const home = mkdtempSync(join(tmpdir(), 'spillway-agent-'))
  try {
    const { program, isScript, args, env, files } = agent.start({ base: where.base, key: where.key, home })
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(home, path)), { recursive: true })
      writeFileSync(join(home, path), text)
    }
    const work = join(home, 'work')
    mkdirSync(work)
    const path = join(where.folder, program)
    const [command, words] = isScript ? [nodeFor(where.folder), [path, ...args]] : [path, args]
    return await ran(command, words, { cwd: work, env: { ...surroundings(home), ...env }, deadlineMs })
  } finally {
    rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  }
}

function ran(
  command: string,
  args: readonly string[],
  { deadlineMs, ...options }: { cwd: string; env: Record<string, string>; deadlineMs: number },
): Promise<Drove> {
  // A group of its own, because some start helpers that would outlive them.
  const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let shown = ''
  const take = (bytes: Buffer) => {
    shown += bytes
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => endGroup(child.pid), deadlineMs)
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(deadline)
      endGroup(child.pid)
      resolve({ code, shown })
    })
  })
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It is gone already.
  }
}

/** Nothing of ours but the way to programs; whatever is not on loopback is refused. */
function surroundings(home: string): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    HOME: home,
    TMPDIR: tmpdir(),
    TERM: 'dumb',
    NO_COLOR: '1',
    HTTPS_PROXY: sink,
    HTTP_PROXY: sink,
    ALL_PROXY: sink,
    NO_PROXY: '127.0.0.1,localhost',
    DO_NOT_TRACK: '1',
  }
}
