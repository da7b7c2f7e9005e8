import { parentPort } from 'node:worker_threads'
import type { LaneAnswer, LaneQuestion } from './lane.ts'

type Handler = (details: never) => unknown

/** Answers what a Desk asks, in a thread or a process of its own; a process ends when nobody is left to ask. */
export function serve(handlers: Readonly<Record<string, Handler>>): void {
  const answer = (message: 'ready' | LaneAnswer) =>
    parentPort ? parentPort.postMessage(message) : process.send?.(message)
  const hear = async ({ task, details }: LaneQuestion) => {
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
    process.on('message', (question) => void hear(question as LaneQuestion))
    process.on('disconnect', () => process.exit(0))
  }
  answer('ready')
}
