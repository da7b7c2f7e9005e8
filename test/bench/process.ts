import { type ChildProcess, fork, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const ticksPerSecond = 100

/** CPU seconds that the processes have used so far, user and system, all threads (`/proc/PID/stat`). */
export function cpuSeconds(pids: readonly number[]): number {
  let ticks = 0
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    ticks += Number(fields[11]) + Number(fields[12])
  }
  return ticks / ticksPerSecond
}

/** Resident memory of a process in bytes. */
export function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1_024
}

/** Starts a compiled module of this folder on one core, with an IPC channel. */
export function forkPinned(module: string, core: number, args: readonly string[] = []): ChildProcess {
  const path = fileURLToPath(new URL(module, import.meta.url))
  return fork(path, [...args], {
    execPath: 'taskset',
    execArgv: ['-c', String(core), process.execPath],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
}

/** Sends an order to a process of this folder and resolves with its answer; rejects when it dies before. */
export function ask<T>(child: ChildProcess, order: object): Promise<T> {
  return new Promise((resolve, reject) => {
    const died = () => reject(new Error(`a process of the benchmark died at ${JSON.stringify(order)}`))
    child.once('exit', died)
    child.once('message', (answer) => {
      child.off('exit', died)
      resolve(answer as T)
    })
    child.send(order)
  })
}

/** Starts a program on one core. */
export function spawnPinned(
  core: number,
  command: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): ChildProcess {
  return spawn('taskset', ['-c', String(core), ...command], { stdio: ['ignore', 'ignore', 'inherit'], env })
}

/** Resolves when something listens on the port; rejects after 20 s. */
export async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    if (await answers(port)) return
    await wait(50)
  }
  throw new Error(`nothing listens on port ${port}`)
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

/** The process and its children (nginx and haproxy serve from workers). */
export function family(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return [pid, ...(children === '' ? [] : children.split(' ').map(Number))]
}
