import { sleep } from '../../clock/clock.ts'
import type { Actor, RecoveryShape } from '../../ops/ops.ts'
import type { GuardDeps } from '../context.ts'
import type { RecoveryPlan, Step } from '../decide/recovery.ts'
import type { Memory } from '../memory.ts'
import { shown } from '../shown.ts'

type Plan = Extract<RecoveryPlan, { refused: null }>
type Done = RecoveryShape['steps'][number]

interface Around {
  readonly parts: Pick<GuardDeps, 'system' | 'clock'>
  readonly memory: Memory
  readonly actor: Actor
  /** The hot path. */
  readonly name: string
  readonly isEnabled: () => Promise<boolean>
  /** Whether the worker may be started: a deployment may have begun meanwhile, and the watchdog sees to it afterwards. */
  readonly isFree: (worker: string) => Promise<boolean>
  /** Whether what work needs can be read now. */
  readonly areReadable: () => Promise<boolean>
  readonly probeMs: number
}

/** The step that failed, and what its command said. */
interface Failure {
  readonly step: string
  readonly said: string | null
}

interface Ended {
  readonly result: string
  readonly ms: number | null
  readonly said: string | null
}

const commandMs = 60_000
/** A mount that was just started needs a moment until it can be read. */
const settleMs = 10_000
const againMs = 500

/**
 * Does the steps of the plan in their order. The first that fails ends it, and so does the removal of the sentinel file;
 * but a worker that was stopped is started again all the same when what it needs is readable.
 */
export async function carryOut(
  plan: Plan,
  around: Around,
): Promise<{ readonly steps: readonly Done[]; readonly failed: Failure | null }> {
  const steps: Done[] = []
  let failed: Failure | null = null
  const stopped = new Set<string>()
  for (const step of plan.steps) {
    const command = step.command && [...step.command]
    if (step.step === 'start') {
      const wasStopped = stopped.has(step.worker)
      const isReadable = failed === null || (await around.areReadable())
      const may: boolean = wasStopped && isReadable && (await around.isFree(step.worker))
      if (may) await around.memory.begin('starts', step.worker)
      const found: Ended = may ? await done(step, plan, around) : { result: 'skipped', ms: null, said: null }
      if (found.result === 'done') around.memory.resumed(step.worker)
      else if (may) failed ??= { step: step.step, said: found.said }
      steps.push({ step: step.step, command, result: found.result, ms: found.ms })
      continue
    }
    if (failed !== null) {
      steps.push({ step: step.step, command, result: 'skipped', ms: null })
      continue
    }
    if (!(await around.isEnabled())) {
      failed = { step: step.step, said: 'the sentinel file was removed' }
      steps.push({ step: step.step, command, result: 'disabled', ms: null })
      continue
    }
    if (step.step === 'quiesce') {
      stopped.add(step.worker)
      // Durable first: whoever comes after a crash starts it again.
      await around.memory.stopping(step.worker)
    }
    const hasRemount = plan.steps.some((each) => each.step === 'remount')
    if (step.step === 'unmount' && hasRemount) await around.memory.unmounting(around.name, plan.mountpoint)
    const found = await done(step, plan, around)
    if (step.step === (found.result === 'done' ? 'remount' : 'unmount')) around.memory.mounted(around.name)
    if (found.result !== 'done') failed = { step: step.step, said: found.said }
    steps.push({ step: step.step, command, result: found.result, ms: found.ms })
  }
  return { steps, failed }
}

async function done(step: Step, plan: Plan, around: Around): Promise<Ended> {
  const { clock, system } = around.parts
  const begun = clock.mono()
  const ended = (isDone: boolean, said: string | null) => ({
    result: isDone ? 'done' : 'failed',
    ms: Math.round(clock.mono() - begun),
    said,
  })
  if (step.step === 'probe') {
    const until = begun + settleMs
    while (!(await around.areReadable())) {
      if (clock.mono() > until) return ended(false, 'it is still not readable')
      await sleep(clock, againMs)
    }
    return ended(true, null)
  }
  if (step.step === 'unmount') {
    const objection = await objectionTo(plan.mountpoint, around)
    if (objection !== null) return ended(false, objection)
  }
  let { code, said } = await system.command(step.command, commandMs)
  if (step.step === 'unmount' && code !== 0) {
    // fuse 2 has another name for it; a dead mount that somebody still has open can only be detached.
    const umount = ['umount', '-l', '--', plan.mountpoint] as const
    const objection = await objectionTo(plan.mountpoint, around)
    if (objection === null) ({ code, said } = await system.command([...umount], commandMs))
    else if (objection === gone) return ended(true, null)
  }
  if (step.step === 'quiesce')
    around.memory.tell({
      kind: 'worker_stopped',
      from: step.worker,
      actor: around.actor,
      detail: { path: shown(plan.path), code },
    })
  if (step.step === 'start')
    around.memory.tell({
      kind: 'worker_started',
      from: step.worker,
      actor: around.actor,
      detail: { pending: null, code },
    })
  return ended(code === 0, code === 0 ? null : (said ?? `exit ${code}`))
}

const gone = 'it is no longer a mountpoint'

/** What speaks against unmounting at the last moment; null: it is still a mountpoint, and dead. */
async function objectionTo(mountpoint: string, { parts: { system }, probeMs }: Around): Promise<string | null> {
  const mounts = await system.mounts()
  if (!mounts.some((mount) => mount.mountpoint === mountpoint)) return gone
  const state = await system.probe(mountpoint, probeMs)
  return state === 'stale' ? null : `it is ${state}, not stale`
}
