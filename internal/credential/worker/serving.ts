import { parentPort } from 'node:worker_threads'
import type { Answer, Asked, Errand, Errands } from './task.ts'

/** How errands are done; each blocks the thread until it is. */
export type Doing<E extends Errand> = { readonly [K in E]: (asked: Errands[K]['asks']) => Errands[K]['answers'] }

/**
 * Does errands for the main thread, one at a time, from now on. The thread may hang in a system call for ever: whoever
 * asked has a deadline and starts another worker.
 */
export function serve<E extends Errand>(doing: Doing<E>): void {
  const port = parentPort
  port?.on('message', (asked: Asked<E>) => port.postMessage(answer(doing, asked)))
  port?.postMessage('ready')
}

function answer<E extends Errand, K extends E>(doing: Doing<E>, asked: Asked<K>): Answer {
  try {
    return { result: doing[asked.errand](asked.details) }
  } catch (error) {
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null
    return { failed: error instanceof Error ? error.message : String(error), code }
  }
}
