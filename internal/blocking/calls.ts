import type { Cancel, Clock } from '../clock/clock.ts'
import { type Isolation, type Runner, type RunnerAnswer, startRunner } from './runner.ts'

/** What can be asked of the runners: the details and the answer of each task, all of which can be cloned. */
export type Tasks = Readonly<Record<string, { readonly asks: unknown; readonly answers: unknown }>>

/** `EHUNG`: no answer in time, or too many runners hang already; `ESTOPPED`: the calls was stopped; else the system's own. */
export type BlockingCode = 'EHUNG' | 'ESTOPPED' | (string & {})

/** A task failed, or nobody answered in time. */
export class BlockingFailed extends Error {
  override readonly name = 'BlockingFailed'
  readonly code: BlockingCode | null

  constructor(message: string, code: BlockingCode | null) {
    super(message)
    this.code = code
  }
}

export interface BlockingOptions {
  readonly clock: Clock
  /** The emitted JavaScript that a runner runs; it calls `serve`. */
  readonly script: URL
  readonly isolation: Isolation
  /** How many tasks run side by side. */
  readonly runners: number
  /** How many runners may hang, given up but not gone, before nothing more is tried. */
  readonly mostHung: number
  /** The variables of runners that are processes. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

interface Call {
  readonly task: string
  readonly details: unknown
  readonly deadlineMs: number
  readonly settle: (answer: RunnerAnswer) => void
}

interface Slot {
  readonly runner: Runner
  call: Call | null
  cancel: Cancel
}

/** Starting a runner reads its script from the disk, and a busy machine takes its time. */
const startMs = 15_000
/** A process that was ended and is there after so long hangs in the kernel. */
const dyingMs = 1_000

/**
 * A queue of blocking tasks before a few runners. What takes longer than its deadline is given up with code `EHUNG`, its runner
 * is ended or left behind, and the next task gets a new one. Runners are started when they are needed and do not keep the
 * process alive while idle.
 */
export class BlockingCalls<T extends Tasks> {
  readonly #options: BlockingOptions
  readonly #queue: Call[] = []
  readonly #slots = new Set<Slot>()
  #hung = 0
  /** Given up and not gone, whether they hang or are about to end. */
  #leaving = 0
  #stopped = false

  constructor(options: BlockingOptions) {
    this.#options = options
  }

  /** The answer of a runner; rejects with BlockingFailed. An urgent task goes before those that wait. */
  ask<K extends keyof T & string>(
    task: K,
    details: T[K]['asks'],
    { deadlineMs, urgent = false }: { readonly deadlineMs: number; readonly urgent?: boolean },
  ): Promise<T[K]['answers']> {
    return new Promise((resolve, reject) => {
      const settle = (answer: RunnerAnswer) =>
        'failed' in answer
          ? reject(new BlockingFailed(answer.failed, answer.code))
          : resolve(answer.result as T[K]['answers'])
      const call = { task, details, deadlineMs, settle }
      if (urgent) this.#queue.unshift(call)
      else this.#queue.push(call)
      this.#next()
    })
  }

  /** Ends the runners and fails what waits. false: a runner is busy still, and a thread may end with the process only. */
  async stop(): Promise<boolean> {
    this.#stopped = true
    for (const call of this.#queue.splice(0)) call.settle(stopped)
    const idle = [...this.#slots].filter((slot) => slot.call === null)
    for (const slot of [...this.#slots]) if (slot.call !== null) this.#giveUp(slot, stopped, false)
    for (const slot of idle) this.#slots.delete(slot)
    await Promise.all(idle.map((slot) => slot.runner.end(false)))
    return this.#leaving === 0
  }

  #next(): void {
    for (let call = this.#queue[0]; call; call = this.#queue[0]) {
      if (this.#stopped) {
        this.#queue.shift()
        call.settle(stopped)
        continue
      }
      const idle = [...this.#slots].find((slot) => slot.call === null)
      if (!idle && this.#slots.size >= this.#options.runners) return
      this.#queue.shift()
      if (idle) this.#send(idle, call)
      else if (this.#hung >= this.#options.mostHung)
        call.settle({ failed: `${this.#hung} runners hang in the file system`, code: 'EHUNG' })
      else this.#open(call)
    }
  }

  #open(call: Call): void {
    const { script, isolation, env, clock } = this.#options
    const runner = startRunner(script, isolation, env ?? {})
    const slot: Slot = { runner, call, cancel: () => {} }
    this.#slots.add(slot)
    slot.cancel = clock.after(startMs, () => this.#late(slot, startMs))
    runner.listen((answer) => {
      if (answer === 'ready') {
        slot.cancel()
        if (slot.call) this.#send(slot, slot.call)
        return
      }
      this.#settle(slot, answer)
      this.#next()
    })
    runner.ended((why) => {
      if (!this.#slots.delete(slot)) return
      this.#settle(slot, { failed: why, code: null })
      this.#next()
    })
  }

  #send(slot: Slot, call: Call): void {
    slot.call = call
    slot.cancel = this.#options.clock.after(call.deadlineMs, () => this.#late(slot, call.deadlineMs))
    slot.runner.ask({ task: call.task, details: call.details })
  }

  #late(slot: Slot, afterMs: number): void {
    this.#giveUp(slot, { failed: `no answer within ${afterMs} ms`, code: 'EHUNG' }, true)
    this.#next()
  }

  #giveUp(slot: Slot, answer: RunnerAnswer, hung: boolean): void {
    this.#slots.delete(slot)
    this.#leaving++
    let isGone = false
    let isCounted = false
    const count = () => {
      isCounted = !isGone
      if (isCounted) this.#hung++
    }
    // A process that dies at once has not hung; a thread cannot be made to.
    const cancel = this.#options.isolation === 'process' ? this.#options.clock.after(dyingMs, count) : count()
    void slot.runner.end(hung).then(() => {
      isGone = true
      cancel?.()
      this.#leaving--
      if (isCounted) this.#hung--
      this.#next()
    })
    this.#settle(slot, answer)
  }

  #settle(slot: Slot, answer: RunnerAnswer): void {
    const { call } = slot
    slot.cancel()
    slot.call = null
    call?.settle(answer)
  }
}

const stopped: RunnerAnswer = { failed: 'stopped', code: 'ESTOPPED' }
