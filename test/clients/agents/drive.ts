import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Agent, Start } from './agent.ts'
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
  const home = newHome({})
  try {
    const start = agent.start({ base: where.base, key: where.key, home })
    fill(home, start.files)
    return await driveIn(home, start, { folder: where.folder, deadlineMs })
  } finally {
    endHome(home)
  }
}

/** A home with these files and nothing else. */
export function newHome(files: Readonly<Record<string, string>>): string {
  const home = mkdtempSync(join(tmpdir(), 'spillway-agent-'))
  mkdirSync(join(home, 'work'))
  fill(home, files)
  return home
}

export function endHome(home: string): void {
  rmSync(home, { recursive: true, force: true, maxRetries: 5 })
}

/** Runs a program in a home as it is; it is killed after `deadlineMs`. */
export function driveIn(
  home: string,
  { program, isScript, args, env }: Omit<Start, 'files'>,
  { folder, deadlineMs }: { readonly folder: string; readonly deadlineMs: number },
): Promise<Drove> {
  const path = join(folder, program)
  const [command, words] = isScript ? [nodeFor(folder), [path, ...args]] : [path, args]
  return ran(command, words, { cwd: join(home, 'work'), env: { ...surroundings(home), ...env }, deadlineMs })
}

function fill(home: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(home, path)), { recursive: true })
    writeFileSync(join(home, path), text)
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
