import type { Cancel, Clock } from '../clock/clock.ts'
import { type Isolation, type Lane, type LaneAnswer, startLane } from './lane.ts'

/** What can be asked of the lanes: the details and the answer of each task, all of which can be cloned. */
export type Tasks = Readonly<Record<string, { readonly asks: unknown; readonly answers: unknown }>>

/** `EHUNG`: no answer in time, or too many lanes hang already; `ESTOPPED`: the desk was stopped; else the system's own. */
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

export interface DeskOptions {
  readonly clock: Clock
  /** The emitted JavaScript that a lane runs; it calls `serve`. */
  readonly script: URL
  readonly isolation: Isolation
  /** How many tasks run side by side. */
  readonly lanes: number
  /** How many lanes may hang, given up but not gone, before nothing more is tried. */
  readonly mostHung: number
  /** The variables of lanes that are processes. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

interface Job {
  readonly task: string
  readonly details: unknown
  readonly deadlineMs: number
  readonly settle: (answer: LaneAnswer) => void
}

interface Post {
  readonly lane: Lane
  job: Job | null
  cancel: Cancel
  isReady: boolean
}

/** Starting a lane reads its script from the disk, and a busy machine takes its time. */
const startMs = 15_000

/**
 * A queue of blocking tasks before a few lanes. What takes longer than its deadline is given up with code `EHUNG`, its lane
 * is ended or left behind, and the next task gets a new one. Lanes are started when they are needed and do not keep the
 * process alive while idle.
 */
export class Desk<T extends Tasks> {
  readonly #options: DeskOptions
  readonly #queue: Job[] = []
  readonly #posts = new Set<Post>()
  #hung = 0
  #stopped = false

  constructor(options: DeskOptions) {
    this.#options = options
  }

  /** The answer of a lane; rejects with BlockingFailed. An urgent task goes before those that wait. */
  ask<K extends keyof T & string>(
    task: K,
    details: T[K]['asks'],
    { deadlineMs, urgent = false }: { readonly deadlineMs: number; readonly urgent?: boolean },
  ): Promise<T[K]['answers']> {
    return new Promise((resolve, reject) => {
      const settle = (answer: LaneAnswer) =>
        'failed' in answer
          ? reject(new BlockingFailed(answer.failed, answer.code))
          : resolve(answer.result as T[K]['answers'])
      const job = { task, details, deadlineMs, settle }
      if (urgent) this.#queue.unshift(job)
      else this.#queue.push(job)
      this.#next()
    })
  }

  /** Lanes that were given up and are not gone. */
  get hung(): number {
    return this.#hung
  }

  /** Ends the lanes and fails what waits. */
  stop(): void {
    this.#stopped = true
    for (const job of this.#queue.splice(0)) job.settle(stopped)
    for (const post of this.#posts) this.#giveUp(post, stopped, false)
  }

  #next(): void {
    for (let job = this.#queue[0]; job; job = this.#queue[0]) {
      if (this.#stopped) {
        this.#queue.shift()
        job.settle(stopped)
        continue
      }
      const idle = [...this.#posts].find((post) => post.job === null)
      if (!idle && this.#posts.size >= this.#options.lanes) return
      this.#queue.shift()
      if (idle) this.#send(idle, job)
      else if (this.#hung >= this.#options.mostHung)
        job.settle({ failed: `${this.#hung} lanes hang in the file system`, code: 'EHUNG' })
      else this.#open(job)
    }
  }

  #open(job: Job): void {
    const { script, isolation, env, clock } = this.#options
    const lane = startLane(script, isolation, env ?? {})
    const post: Post = { lane, job, cancel: () => {}, isReady: false }
    this.#posts.add(post)
    post.cancel = clock.after(startMs, () => this.#late(post, startMs))
    lane.listen((answer) => {
      if (answer === 'ready') {
        post.isReady = true
        post.cancel()
        if (post.job) this.#send(post, post.job)
        return
      }
      this.#settle(post, answer)
      this.#next()
    })
    lane.ended((why) => {
      if (!this.#posts.delete(post)) return
      this.#settle(post, { failed: why, code: null })
      this.#next()
    })
  }

  #send(post: Post, job: Job): void {
    post.job = job
    post.cancel = this.#options.clock.after(job.deadlineMs, () => this.#late(post, job.deadlineMs))
    post.lane.ask({ task: job.task, details: job.details })
  }

  #late(post: Post, afterMs: number): void {
    this.#giveUp(post, { failed: `no answer within ${afterMs} ms`, code: 'EHUNG' }, true)
    this.#next()
  }

  #giveUp(post: Post, answer: LaneAnswer, hung: boolean): void {
    this.#posts.delete(post)
    this.#hung++
    void post.lane.end(hung).then(() => {
      this.#hung--
      this.#next()
    })
    this.#settle(post, answer)
  }

  #settle(post: Post, answer: LaneAnswer): void {
    const { job } = post
    post.cancel()
    post.job = null
    job?.settle(answer)
  }
}

const stopped: LaneAnswer = { failed: 'stopped', code: 'ESTOPPED' }
