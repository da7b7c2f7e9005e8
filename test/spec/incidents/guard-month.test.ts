import { expect, it } from 'vitest'
import { deadLogin, GuardedMachine, hotPath, worker } from '../../fakes/guarded.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** The same numbers every time (a linear congruential generator, Numerical Recipes). */
function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

it('30 days of a flapping mount, deploys, stuck jobs, crashes and a dead login: no start against a rule, one notice an incident', async () => {
  const random = chance(20260105)
  const machine = new GuardedMachine({
    hotPaths: { crawl: { ...hotPath, everyMs: minute } },
    workers: { crawler: { ...worker, everyMs: 2 * minute } },
  })
  const against: string[] = []
  const starts: number[] = []
  /** What a person sees who looks at the machine at the moment of a start. */
  machine.befalls.set('start', () => {
    const now = machine.clock.now()
    const lock = machine.files.get('/run/deploy.lock')
    if (!machine.files.has(worker.enabledBy ?? '')) against.push('disabled')
    if (machine.active) against.push('active')
    if (lock !== undefined && now - lock < 2 * hour) against.push('deploy-locked')
    if (!machine.mounted || machine.state('/srv/jobs') !== 'readable') against.push('storage-unreadable')
    if (starts.filter((at) => at > now - hour).length >= 3) against.push('rate-limited')
    starts.push(now)
  })
  await machine.begin()
  const until = machine.clock.now() + 30 * day
  let downs = 0
  while (machine.clock.now() < until) {
    const dice = random()
    if (dice < 0.02 && machine.mounted) machine.states.set('/srv/jobs', random() < 0.7 ? 'stale' : 'hanging')
    else if (dice < 0.05 && machine.state('/srv/jobs') === 'hanging') machine.states.delete('/srv/jobs')
    else if (dice < 0.06) machine.files.set('/run/deploy.lock', machine.clock.now())
    else if (dice < 0.08) machine.files.delete('/run/deploy.lock')
    else if (dice < 0.11) machine.active = false
    else if (dice < 0.12) machine.running = machine.running > 0 ? 0 : 2
    else if (dice < 0.125) machine.codes.set('remount', 1)
    else if (dice < 0.15) machine.codes.delete('remount')
    else if (dice < 0.152) machine.pool = deadLogin
    else if (dice < 0.16) machine.pool = null
    else if (dice < 0.162) await machine.restart()
    else if (dice < 0.3) machine.pending = Math.floor(random() * 300)
    else if (dice < 0.4) machine.pending = 0
    machine.busy = random() < 0.5 ? ['/srv/jobs/1'] : []
    if (!machine.active && machine.pending > 0) downs++
    await machine.clock.advance(5 * minute)
  }
  expect(against).toEqual([])
  // The story was a rich one.
  expect(starts.length).toBeGreaterThan(50)
  expect(downs).toBeGreaterThan(100)
  expect(machine.actions.filter((action) => action.startsWith('fusermount3')).length).toBeGreaterThan(20)
  // Every incident begins once and ends once, in turn.
  for (const [begins, ends] of [
    ['worker_down', 'worker_up'],
    ['path_unrecovered', 'path_readable'],
  ] as const) {
    const story = machine.told.map(({ kind }) => kind).filter((kind) => kind === begins || kind === ends)
    expect(story.length).toBeGreaterThan(2)
    expect(story.filter((kind, index) => kind !== (index % 2 === 0 ? begins : ends))).toEqual([])
  }
  const counted = new Map<string, number>()
  for (const { kind } of machine.told) counted.set(kind, (counted.get(kind) ?? 0) + 1)
  // Rows in a month, of everything together.
  expect(machine.told.length).toBeLessThan(5_000)
  if (process.env.SPILLWAY_FULL === '1') console.log(Object.fromEntries(counted), { starts: starts.length })
  machine.guard.stop()
}, 60_000)
