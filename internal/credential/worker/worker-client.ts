import { Worker } from 'node:worker_threads'
import type { Cancel, Clock } from '../../clock/clock.ts'
import { type Answer, type Errand, ErrandFailed, type Errands } from './task.ts'

/** Workers that hang in the kernel cannot be ended; no more than this many are left behind at a time. */
const maxHung = 3
/** Starting a thread reads its script from the disk, and a busy machine takes its time. */
const startMs = 15_000

interface Job {
  readonly errand: Errand
  readonly details: Errands[Errand]['asks']
  readonly deadlineMs: number
  readonly settle: (answer: Answer) => void
}

/**
 * A queue of blocking errands before one worker thread. What takes longer than its deadline is given up with
 * `ErrandFailed` code `EHUNG`, its worker is left behind and the next errand gets a new one. The worker is started by
 * the first errand and does not keep the process alive while idle.
 */
export class Desk {
  readonly #clock: Clock
  readonly #script: string
  readonly #queue: Job[] = []
  #worker: Worker | null = null
  #progress = new Int32Array(new SharedArrayBuffer(4))
  #current: Job | null = null
  #cancel: Cancel | null = null
  #hung = 0
  #stopped = false

  /** `script` is a file of this folder without its ending. */
  constructor(clock: Clock, script: 'worker' | 'lockworker') {
    this.#clock = clock
    this.#script = script
  }

  /** The answer of a worker; rejects with `ErrandFailed`. */
  ask<E extends Errand>(errand: E, details: Errands[E]['asks'], deadlineMs: number): Promise<Errands[E]['answers']> {
    return new Promise((resolve, reject) => {
      const settle = (answer: Answer) =>
        'failed' in answer
          ? reject(new ErrandFailed(answer.failed, answer.code))
          : resolve(answer.result as Errands[E]['answers'])
      this.#queue.push({ errand, details, deadlineMs, settle })
      this.#next()
    })
  }

  /** How far the errand that hung last had come (the index of the path that `stamps` was looking at). */
  get progress(): number {
    return Atomics.load(this.#progress, 0)
  }

  /** Ends the worker and fails what waits. false: a worker hangs, and only the end of the process ends it. */
  async stop(): Promise<boolean> {
    this.#stopped = true
    const worker = this.#worker
    this.#worker = null
    for (const job of this.#queue.splice(0)) job.settle({ failed: 'stopped', code: 'ESTOPPED' })
    if (this.#current) {
      this.#settle({ failed: 'stopped', code: 'ESTOPPED' })
      if (worker) this.#leave(worker)
    } else await worker?.terminate()
    return this.#hung === 0
  }

  #next(): void {
    if (this.#current) return
    const job = this.#queue.shift()
    if (!job) return
    if (this.#stopped) {
      job.settle({ failed: 'stopped', code: 'ESTOPPED' })
      return
    }
    if (!this.#worker && this.#hung >= maxHung) {
      job.settle({ failed: `${this.#hung} workers hang in the file system`, code: 'EHUNG' })
      this.#next()
      return
    }
    this.#current = job
    if (this.#worker) this.#send(this.#worker, job)
    else {
      this.#worker = this.#start()
      this.#cancel = this.#clock.after(startMs, () => this.#late(startMs))
    }
  }

  #send(worker: Worker, job: Job): void {
    worker.ref()
    this.#cancel = this.#clock.after(job.deadlineMs, () => this.#late(job.deadlineMs))
    worker.postMessage({ errand: job.errand, details: job.details })
  }

  #late(afterMs: number): void {
    const worker = this.#worker
    this.#worker = null
    if (worker) this.#leave(worker)
    this.#settle({ failed: `no answer within ${afterMs} ms`, code: 'EHUNG' })
    this.#next()
  }

  #leave(worker: Worker): void {
    this.#hung++
    worker.removeAllListeners()
    worker.on('error', () => {})
    worker.on('exit', () => {
      this.#hung--
    })
    worker.unref()
    void worker.terminate()
  }

  #settle(answer: Answer): void {
    const job = this.#current
    this.#cancel?.()
    this.#current = null
    job?.settle(answer)
  }

  #start(): Worker {
    this.#progress = new Int32Array(new SharedArrayBuffer(4))
    const worker = new Worker(scriptFile(this.#script), { workerData: { progress: this.#progress } })
    worker.on('message', (message: 'ready' | Answer) => {
      if (message === 'ready') {
        this.#cancel?.()
        if (this.#current) this.#send(worker, this.#current)
        return
      }
      worker.unref()
      this.#settle(message)
      this.#next()
    })
    worker.on('error', (error) => this.#gone(worker, error.message))
    worker.on('exit', () => this.#gone(worker, 'the worker ended'))
    return worker
  }

  #gone(worker: Worker, why: string): void {
    if (this.#worker !== worker) return
    this.#worker = null
    this.#settle({ failed: why, code: null })
    this.#next()
  }
}

/** Worker threads run emitted JavaScript, also when this file runs from its source. */
function scriptFile(script: string): URL {
  if (import.meta.url.endsWith('.js')) return new URL(`./${script}.js`, import.meta.url)
  return new URL(`../../../dist/internal/credential/worker/${script}.js`, import.meta.url)
}
