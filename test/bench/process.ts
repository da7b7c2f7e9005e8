import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const ticksPerSecond = 100

/** CPU seconds that the processes have used so far, user and system, all threads. */
export function cpuSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (scheduledSeconds(pid) ?? tickedSeconds(pid)), 0)
}

/** From `/proc/PID/task/TID/schedstat`, in nanoseconds; null where the kernel keeps none. */
function scheduledSeconds(pid: number): number | null {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    const nanos = threads.map((tid) => Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ')[0]))
    return nanos.reduce((sum, each) => sum + each, 0) / 1e9
  } catch {
    return null
  }
}

/** From `/proc/PID/stat`, in ticks of 10 ms, which is coarse for a round of less than a second. */
function tickedSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** Resident memory of a process in bytes. */
export function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1_024
}

/**
 * How many descriptors a process may have that wants `wanted` of them: raising the hard limit takes a privilege that
 * not every machine grants, and then it is what it is.
 */
export function descriptorsFor(wanted: number): number {
  if (spawnSync('prlimit', [`--nofile=${wanted}:${wanted}`, 'true'], { stdio: 'ignore' }).status === 0) return wanted
  return Number(/^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 1_024)
}

/** What comes before a command so that it may open that many descriptors. */
export function allowing(descriptors: number | null): string[] {
  return descriptors === null ? [] : ['prlimit', `--nofile=${descriptors}:${descriptors}`]
}

/** Starts a compiled module on one core, with an IPC channel; with that many descriptors, if said. */
export function forkPinned(
  module: URL,
  core: number,
  args: readonly string[] = [],
  descriptors: number | null = null,
): ChildProcess {
  return fork(fileURLToPath(module), [...args], {
    execPath: 'taskset',
    execArgv: ['-c', String(core), ...allowing(descriptors), process.execPath],
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

/** A port that nothing listens on, below those that the kernel gives to outgoing connections. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 18_000 + Math.floor(Math.random() * 14_000)
    if (await canListen(port)) return port
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.on('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
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
