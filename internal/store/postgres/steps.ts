import type { Steps } from '../steps.ts'
import type { Turns } from './turns.ts'

/** The steps, each in its turn. */
export function stepsIn(turns: Turns, steps: Steps): Steps {
  return {
    load: (asks) => turns.read(() => steps.load(asks)),
    commit: (asks) => turns.write(() => steps.commit(asks)),
    refreshState: (asks) => turns.read(() => steps.refreshState(asks)),
    audit: (asks) => turns.read(() => steps.audit(asks)),
    verify: (asks) => turns.read(() => steps.verify(asks)),
    prune: (asks) => turns.write(() => steps.prune(asks)),
    usage: (asks) => turns.read(() => steps.usage(asks)),
    pruneUsage: (asks) => turns.write(() => steps.pruneUsage(asks)),
    incidents: (asks) => turns.read(() => steps.incidents(asks)),
    outbox: (asks) => turns.read(() => steps.outbox(asks)),
    usageSamples: (asks) => turns.read(() => steps.usageSamples(asks)),
    thinSamples: (asks) => turns.write(() => steps.thinSamples(asks)),
    space: (asks) => turns.read(() => steps.space(asks)),
  }
}
