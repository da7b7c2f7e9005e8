import { expect } from 'vitest'
import {
  type At,
  availability,
  type Effect,
  earlyTestAt,
  type Health,
  type ModelFamily,
  type Probing,
  recoversAt,
  type Seat,
  type SelectionIndex,
} from '../../internal/pool/pool.ts'
import { isFullNow, standsNow } from './reference.ts'

/** The files of a selection index say of a seat what follows from it alone. */
export function checkFiled(of: {
  readonly selectionIndex: SelectionIndex
  readonly seat: Seat
  readonly model: ModelFamily | null
  readonly now: At
}): void {
  const { selectionIndex, seat, model, now } = of
  const familyIndex = selectionIndex.familyIndex(model)
  const tierIndex = familyIndex.tierOf(seat)
  const stands = availability(seat, now, model)
  const { index } = seat
  const filed = [
    familyIndex.availability(seat),
    tierIndex.ready.has(index),
    tierIndex.elapsed.has(index),
    tierIndex.parkedElapsed.has(index),
    tierIndex.parked.has(index) && tierIndex.parked.key(index),
    tierIndex.early.has(index) && tierIndex.early.key(index),
    tierIndex.waiting.has(index) && tierIndex.waiting.key(index),
    tierIndex.behindHost.has(index),
    tierIndex.full.has(index),
  ]
  const wanted = [
    standsNow(seat, model, now),
    stands === 'ready' || (stands === 'elapsed' && selectionIndex.strategyName !== 'sticky'),
    stands === 'elapsed',
    stands === 'parked-elapsed',
    stands === 'parked' && (seat.park?.until ?? Number.POSITIVE_INFINITY),
    stands === 'shut' && !isFullNow(seat) && earlyTestAt(seat, model),
    (stands === 'shut' || stands === 'host') && recoversAt(seat, model),
    stands === 'host',
    stands === 'full',
  ]
  // Compared here and not by expect, which is slow and seldom has anything to say.
  if (filed.join() !== wanted.join()) expect(filed).toEqual(wanted)
}

/** What a report may do to a state and what it may not, whatever the state and the report. */
export function checkSettled(step: {
  readonly before: Health
  readonly after: Health
  readonly effect: Effect
  readonly lease: { readonly id: number; readonly issuedAt: At }
}): void {
  const { before, after, effect, lease } = step
  const isLate = before.state === 'healthy' && lease.issuedAt < before.since
  if (isLate || before.state === 'needs-login' || before.state === 'disabled') expect(after).toBe(before)
  if (before.state === 'healthy' || before.state === 'needs-login' || before.state === 'disabled') return
  if (before.state === 'probing' && before.lease === lease.id) {
    checkProbe(before, after, effect)
    return
  }
  expect(after.state === 'probing').toBe(before.state === 'probing')
  const [old, young] = [atRest(before), atRest(after)]
  expect(young.until).toBeGreaterThanOrEqual(old.until)
  if (lease.issuedAt > old.since) return
  expect([young.since, young.strikes]).toEqual([old.since, old.strikes])
  if (young.until === old.until && young.reason === old.reason && young.state === old.state) expect(after).toBe(before)
}

/** The probe's own result is the only one that replaces what was; one that says nothing gives it back. */
function checkProbe(before: Probing, after: Health, effect: Effect): void {
  if (effect.do === 'restore') expect(after).toBe(before.was)
  else expect(after.state).toBe({ clear: 'healthy', cool: 'cooling', suspect: 'suspect' }[effect.do])
}

function atRest(health: Health) {
  const rest = health.state === 'probing' ? health.was : health
  if (rest.state !== 'cooling' && rest.state !== 'suspect') throw new Error(`${rest.state} came from a report`)
  return rest
}
