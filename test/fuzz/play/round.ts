import type { Case } from '../cases/case.ts'
import { FuzzClient } from './client.ts'
import { judged, type Verdict } from './judge.ts'
import type { Stage } from './stage.ts'
import { Expected } from './upstream.ts'

/** How far the clock is moved, in ms, one after the other, as long as nothing else happens: holds, heads and idle times, whole requests. */
const strides = [2_500, 25_000, 310_000]

/** So many turns of the event loop without anything are standstill, before and after a byte has gone to and fro. */
const stillTurns = 12

/** Processor time in which a round has to end, in ms: real time says little on a busy machine. */
const longestRoundMs = 30_000

/** Processor time in which what a round has left behind has to go, in ms. */
const longestRestMs = 3_000

export interface RoundResult {
  /** Cases with their faults. */
  readonly failed: readonly Verdict[]
  /** What is wrong with the round as a whole: some case of it is to blame. */
  readonly faults: readonly string[]
}

interface Playing {
  readonly client: FuzzClient
  readonly expected: readonly Expected[]
}

export const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** What nobody caught, since somebody last looked. */
export class Uncaught {
  readonly errors: string[] = []
  readonly #note = (error: unknown) =>
    void this.errors.push(`nobody caught: ${error instanceof Error ? error.stack : String(error)}`)

  constructor() {
    process.on('uncaughtException', this.#note).on('unhandledRejection', this.#note)
  }

  stop(): void {
    process.off('uncaughtException', this.#note).off('unhandledRejection', this.#note)
  }
}

/** Plays cases, so many at a time, and looks at what has become of the process afterwards. `cases` are at most as many as there are pools. */
export async function playRound(
  stage: Stage,
  cases: readonly Case[],
  about: { atOnce: number; uncaught: Uncaught },
): Promise<RoundResult> {
  const failed: Verdict[] = []
  // Until now what had left before its client was known still.
  stage.upstream.book.clear()
  stage.upstream.spoilt.clear()
  const waiting = [...cases].reverse()
  const playing = new Set<Playing>()
  const deadline = processorMs() + longestRoundMs
  let still = 0
  let isDelivered = false
  let stride = 0
  let seen = 0
  let isLate = false
  while (waiting.length > 0 || playing.size > 0) {
    while (playing.size < about.atOnce && waiting.length > 0) playing.add(begin(stage, waiting.pop() as Case))
    await turn()
    let isBusy = stage.upstream.turn()
    for (const one of playing) {
      if (one.client.turn()) isBusy = true
      if (!one.client.isOver) continue
      playing.delete(one)
      isBusy = true
      const faults = end(stage, one)
      if (faults.length > 0) failed.push({ case: one.client.case, faults })
    }
    if (about.uncaught.errors.length > 0) break
    const activity = activityOf(stage, playing)
    const hasMoved = activity !== seen
    seen = activity
    if (isBusy || hasMoved) {
      still = 0
      isDelivered = false
      // A longer stride than is needed would also end what begins within it.
      if (hasMoved) stride = 0
      continue
    }
    if (++still < stillTurns) continue
    still = 0
    if (!isDelivered) {
      await stage.echo.roundTrip()
      isDelivered = true
      continue
    }
    isDelivered = false
    const byMs = strides[stride++]
    if (byMs !== undefined) await moved(stage, byMs, () => activityOf(stage, playing) !== seen)
    else {
      stride = 0
      for (const { client } of playing) client.leave()
    }
    if (processorMs() > deadline) {
      isLate = true
      break
    }
  }
  for (const { client } of playing) client.leave('rst')
  const faults = isLate ? ['the round does not end'] : []
  return { failed, faults: [...faults, ...(await aftermath(stage, about.uncaught))] }
}

/** Moves the clock by so much, in steps, and no further once something has come of it: that would end what has just begun. */
async function moved(stage: Stage, byMs: number, hasMoved: () => boolean): Promise<void> {
  const stepMs = strides[0] as number
  for (let passed = 0; passed < byMs && !hasMoved(); passed += stepMs) {
    await stage.pass(stepMs)
    for (let at = 0; at < 3; at++) await turn()
  }
}

function begin(stage: Stage, one: Case): Playing {
  const expected = one.requests.map((request) => new Expected(request, one.pool))
  if (one.garbled) stage.upstream.spoilt.add(one.pool)
  for (const each of expected) stage.upstream.book.set(each.request.nonce, each)
  return { client: new FuzzClient(one, stage.port), expected }
}

function end(stage: Stage, { client, expected }: Playing): string[] {
  return judged(client, expected, stage.key)
}

function activityOf(stage: Stage, playing: ReadonlySet<Playing>): number {
  let sum = stage.upstream.activity
  for (const { client } of playing) sum += client.activity
  return sum
}

async function aftermath(stage: Stage, uncaught: Uncaught): Promise<string[]> {
  const faults: string[] = []
  const until = processorMs() + longestRestMs
  await stage.rest()
  let left = stage.leftovers()
  while (left.length > 0 && uncaught.errors.length === 0 && processorMs() < until) {
    for (let at = 0; at < 20; at++) await turn()
    left = stage.leftovers()
  }
  faults.push(...left, ...stage.unwell())
  faults.push(...uncaught.errors.splice(0), ...stage.crashes.splice(0), ...stage.upstream.faults.splice(0))
  return faults
}

function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
