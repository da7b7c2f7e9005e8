import { Worker } from 'node:worker_threads'
import { StoreError } from './fault.ts'
import { type Answered, type CallName, type CallTypes, errorFrom } from './message.ts'

/** The part of the Clock port that deadlines need. */
export interface Timers {
  after(delayMs: number, run: () => void): () => void
}

interface Pending {
  resolve(answer: CallTypes[CallName]['answers']): void
  reject(error: Error): void
  readonly cancel: () => void
}

interface ThreadOptions {
  /** Emitted JavaScript. */
  readonly script: URL
  /** What the worker gets as `workerData`; `again` is true for a worker in place of a lost one. */
  readonly data: (again: boolean) => unknown
  readonly timers: Timers
  /** How long a call may take, from the moment it is made. */
  readonly deadlineMs: number
}

/** What a thread allocates is short-lived and little; by itself, V8 would keep 32 MB for it. */
const maxYoungGenerationSizeMb = 2
/** Threads that hang in the kernel cannot be ended; no more than this many are left behind at a time. */
const mostHung = 3

/**
 * Calls to a worker thread, each with a deadline. When one passes, the worker is taken to hang: it is left behind,
 * everything that waited for it is rejected, and the next call gets another worker. An idle worker does not keep the
 * process alive.
 */
export class Thread {
  readonly #options: ThreadOptions
  readonly #pending = new Map<number, Pending>()
  #worker: Worker | null = null
  #started = false
  #closed = false
  #hung = 0
  #count = 0

  constructor(options: ThreadOptions) {
    this.#options = options
  }

  /** The worker's answer; rejects with a StoreError or what the worker threw. */
  call<C extends CallName>(
    call: C,
    asks: CallTypes[C]['asks'],
    deadlineMs = this.#options.deadlineMs,
  ): Promise<CallTypes[C]['answers']> {
    if (this.#closed) return Promise.reject(new StoreError('closed', 'the store is closed'))
    return this.#post(call, asks, deadlineMs)
  }

  /**
   * Closes what the worker has open, after the calls that were made before, and ends it. Rejects with a StoreError of
   * code `hung` when a worker cannot be ended: then `process.exit` would wait for it for ever.
   */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const worker = this.#worker
    if (worker) {
      // A worker that does not answer any more is left behind by its deadline.
      await this.#post('close', null, this.#options.deadlineMs).catch(() => {})
      if (this.#worker === worker) await this.#leave(worker)
    }
    if (this.#hung === 0) return
    throw new StoreError('hung', 'the data directory does not answer: a thread hangs in it and cannot be ended', {
      hint: 'Only a signal ends this process.',
    })
  }

  #post<C extends CallName>(call: C, asks: CallTypes[C]['asks'], deadlineMs: number): Promise<CallTypes[C]['answers']> {
    return new Promise<CallTypes[C]['answers']>((resolve, reject) => {
      if (!this.#worker && this.#hung >= mostHung) return reject(late(`${this.#hung} threads hang in it`))
      this.#worker ??= this.#start()
      const id = ++this.#count
      this.#worker.postMessage({ id, call, asks })
      this.#worker.ref()
      const cancel = this.#options.timers.after(deadlineMs, () =>
        this.#giveUp(`no answer to ${call} within ${deadlineMs} ms`),
      )
      this.#pending.set(id, { resolve: resolve as Pending['resolve'], reject, cancel })
    })
  }

  #start(): Worker {
    const worker = new Worker(this.#options.script, {
      workerData: this.#options.data(this.#started),
      resourceLimits: { maxYoungGenerationSizeMb },
    })
    worker.on('message', (answered: Answered) => this.#settle(answered))
    worker.on('error', (error) => this.#lost(worker, error))
    worker.on('exit', () => this.#lost(worker))
    return worker
  }

  #settle(answered: Answered): void {
    const pending = this.#pending.get(answered.id)
    if (!pending) return
    this.#pending.delete(answered.id)
    if (this.#pending.size === 0) this.#worker?.unref()
    pending.cancel()
    if ('fault' in answered) {
      pending.reject(errorFrom(answered.fault))
    } else {
      this.#started = true
      pending.resolve(answered.answer)
    }
  }

  #giveUp(why: string): void {
    const worker = this.#worker
    if (worker) void this.#leave(worker)
    this.#rejectAll(late(why))
  }

  #lost(worker: Worker, cause?: unknown): void {
    if (this.#worker !== worker) return
    this.#worker = null
    this.#rejectAll(new StoreError('unavailable', 'the thread of the store ended', { cause }))
  }

  #rejectAll(error: StoreError): void {
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const each of pending) {
      each.cancel()
      each.reject(error)
    }
  }

  /** Asks the worker to end; resolves when it has, or after the deadline with one more that hangs. */
  #leave(worker: Worker): Promise<void> {
    this.#worker = null
    this.#hung++
    worker.unref()
    return new Promise((resolve) => {
      const cancel = this.#options.timers.after(this.#options.deadlineMs, resolve)
      void worker.terminate().then(() => {
        this.#hung--
        cancel()
        resolve()
      })
    })
  }
}

function late(why: string): StoreError {
  return new StoreError('deadline', `the data directory does not answer: ${why}`, {
    hint: 'What is pending is written when it answers again.',
  })
}
