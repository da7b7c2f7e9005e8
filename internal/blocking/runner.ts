import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'

/** A thread shares our memory and may outlive its deadline in the kernel; a process is larger and can be killed. */
export type Isolation = 'thread' | 'process'

export interface RunnerQuestion {
  readonly task: string
  readonly details: unknown
}

export type RunnerAnswer = { readonly result: unknown } | { readonly failed: string; readonly code: string | null }

/** One place where blocking calls are made, one at a time. */
export interface Runner {
  listen(hear: (answer: 'ready' | RunnerAnswer) => void): void
  /** Calls `hear` when the runner ended by itself. */
  ended(hear: (why: string) => void): void
  /** The runner keeps the process alive until it has answered. */
  ask(question: RunnerQuestion): void
  /** Ends it; resolves when it is gone, which may be never for a thread in the kernel. `hung`: it can no longer tidy up. */
  end(hung: boolean): Promise<void>
}

/** A new runner that runs the script; it says `ready` when it listens. */
export function startRunner(
  script: URL,
  isolation: Isolation,
  env: Readonly<Record<string, string | undefined>>,
): Runner {
  return isolation === 'thread' ? threadRunner(script) : processRunner(script, env)
}

function threadRunner(script: URL): Runner {
  const worker = new Worker(script, { resourceLimits: { maxYoungGenerationSizeMb: 2 } })
  return {
    listen: (hear) =>
      worker.on('message', (answer: 'ready' | RunnerAnswer) => {
        if (answer !== 'ready') worker.unref()
        hear(answer)
      }),
    ended(hear) {
      worker.on('error', (error) => hear(error.message))
      worker.on('exit', () => hear('the thread ended'))
    },
    ask(question) {
      worker.ref()
      worker.postMessage(question)
    },
    end() {
      worker.removeAllListeners()
      worker.on('error', () => {})
      worker.unref()
      return new Promise((resolve) => {
        worker.on('exit', () => resolve())
        void worker.terminate()
      })
    },
  }
}

function processRunner(script: URL, env: Readonly<Record<string, string | undefined>>): Runner {
  const child = fork(fileURLToPath(script), [], {
    env: { ...env },
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const ref = (on: boolean) => {
    if (on) child.ref()
    else child.unref()
    if (on) child.channel?.ref()
    else child.channel?.unref()
  }
  child.on('error', () => {})
  return {
    listen: (hear) =>
      child.on('message', (answer) => {
        if (answer !== 'ready') ref(false)
        hear(answer as 'ready' | RunnerAnswer)
      }),
    ended(hear) {
      child.on('error', (error) => hear(error.message))
      child.on('exit', () => hear('the process ended'))
    },
    ask(question) {
      ref(true)
      // A runner that has died meanwhile says so by its end.
      child.send(question, () => {})
    },
    end(hung) {
      child.removeAllListeners('message').removeAllListeners('exit').removeAllListeners('error')
      child.on('error', () => {})
      ref(false)
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return Promise.resolve()
      return new Promise((resolve) => {
        child.on('exit', () => resolve())
        // SIGTERM lets it end the command that it runs.
        child.kill(hung ? 'SIGKILL' : 'SIGTERM')
      })
    },
  }
}
