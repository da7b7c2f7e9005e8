import { parentPort } from 'node:worker_threads'
import type { Tasks } from './calls.ts'
import type { RunnerAnswer, RunnerQuestion } from './runner.ts'

type Handler = (details: never) => unknown

/** What answers each task; a handler may block its runner. */
export type Handlers<T extends Tasks> = {
  readonly [K in keyof T]: (details: T[K]['asks']) => T[K]['answers'] | Promise<T[K]['answers']>
}

/** Answers what a BlockingCalls asks, in a thread or a process of its own; a process ends when nobody is left to ask. */
export function serve(handlers: Readonly<Record<string, Handler>>): void {
  const answer = (message: 'ready' | RunnerAnswer) =>
    parentPort ? parentPort.postMessage(message) : process.send?.(message)
  const hear = async ({ task, details }: RunnerQuestion) => {
    try {
      const handler = handlers[task] as ((details: unknown) => unknown) | undefined
      if (!handler) throw new Error(`no task ${task}`)
      answer({ result: await handler(details) })
    } catch (error) {
      const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null
      answer({ failed: error instanceof Error ? error.message : String(error), code })
    }
  }
  if (parentPort) parentPort.on('message', hear)
  else {
    process.on('message', (question) => void hear(question as RunnerQuestion))
    process.on('disconnect', () => process.exit(0))
  }
  answer('ready')
}
