import { describe, expect, it } from 'vitest'
import { announced, noon, sample } from '../../../test/fakes/events.ts'
import type { OutboxRecord } from '../../store/store.ts'
import { type Opening, roleOf } from '../incident/condition.ts'
import { begin, updated } from '../incident/fold.ts'
import { type Incident, incidentOf, recordOf } from '../incident/incident.ts'
import type { Fault, UpdateReason } from '../incident/notice.ts'
import { cursorOf, hasGap, heard, isHeard, readUpTo, textOf } from './cursor.ts'
import { nextDue, overflow, retried, rowFor } from './outbox.ts'

function incident(why: UpdateReason, more: Partial<Incident> = {}): Incident {
  const event = sample('pool_exhausted')
  return { ...updated(begin(announced(event), roleOf(event) as Opening, noon + 5_000), why, noon), ...more }
}

function row(id: string, more: Partial<OutboxRecord> = {}): OutboxRecord {
  return {
    id,
    channel: 'telegram:42',
    incident: id,
    body: {},
    createdAt: noon,
    attempts: 0,
    nextAttemptAt: noon,
    ...more,
  }
}

describe('when a channel hears', () => {
  const heardAt = (at: number) => ({
    told: { 'telegram:42': { messageId: '1', version: 1, at, spell: 1, ended: false } },
  })
  const waiting = row('x', { nextAttemptAt: noon + 60_000 })
  const rows: readonly [string, Incident, OutboxRecord | undefined, number][] = [
    ['a first telling not before its time', incident('opened'), undefined, 5_000],
    ['an edit 30 s after the last', incident('changed', heardAt(noon - 10_000)), undefined, 20_000],
    ['an edit at once when the last is long ago', incident('changed', heardAt(noon - 60_000)), undefined, 0],
    ['an end at once', incident('ended', heardAt(noon)), undefined, 0],
    ['an end at once, though an edit was waiting', incident('ended', heardAt(noon)), waiting, 0],
    [
      'an end not before the channel answers again',
      incident('ended', heardAt(noon)),
      { ...waiting, attempts: 3 },
      60_000,
    ],
  ]
  it.each(rows)('%s', (_name, of, before, ms) => {
    expect(rowFor(of, 'telegram:42', before, noon).nextAttemptAt - noon).toBe(ms)
  })

  it('keeps the place and the attempts of the row that waits already', () => {
    const before = row('x', { createdAt: noon - 5, attempts: 2 })
    expect(rowFor(incident('changed'), 'telegram:42', before, noon)).toMatchObject({ createdAt: noon - 5, attempts: 2 })
  })
})

describe('retries', () => {
  const faults: readonly [string, number, Fault, number][] = [
    ['the first failure', 0, { kind: 'transient' }, 1_000],
    ['the fourth failure', 3, { kind: 'transient' }, 8_000],
    ['the fiftieth failure', 50, { kind: 'transient' }, 300_000],
    ['a pause that was asked for', 0, { kind: 'retry-after', afterMs: 35_000 }, 35_000],
    ['a pause of nothing', 0, { kind: 'retry-after', afterMs: 0 }, 1_000],
  ]
  it.each(faults)('wait after %s', (_name, attempts, fault, ms) => {
    const next = retried(row('x', { attempts }), fault, noon)
    expect([next.attempts, next.nextAttemptAt - noon]).toEqual([attempts + 1, ms])
  })
})

describe('the bound', () => {
  it('gives up moments that have passed before conditions that hold, oldest first', () => {
    const rows = Array.from({ length: 102 }, (_, at) => row(String(at), { createdAt: noon + at }))
    const isOpen = (id: string) => id !== '50' && id !== '70'
    expect(overflow(rows.slice(2), isOpen)).toEqual([])
    expect(overflow(rows.slice(1), isOpen).map(({ id }) => id)).toEqual(['50'])
    expect(overflow(rows, () => true).map(({ id }) => id)).toEqual(['0', '1'])
  })

  it('serves each channel its oldest row that is due', () => {
    const rows = [
      row('late', { createdAt: noon + 1 }),
      row('early'),
      row('future', { createdAt: noon - 1, nextAttemptAt: noon + 1 }),
      row('other', { createdAt: noon - 2, channel: 'webhook' }),
    ]
    expect(nextDue(rows, 'telegram:42', noon)?.id).toBe('early')
    expect(nextDue(rows, 'telegram:7', noon)).toBeUndefined()
  })
})

describe('the cursor', () => {
  it('knows rows that were announced before their turn, and closes gaps', () => {
    const ahead = [12, 11, 14].reduce(heard, { upTo: 9, ahead: [] })
    expect([isHeard(ahead, 9), isHeard(ahead, 10), isHeard(ahead, 12), hasGap(ahead)]).toEqual([
      true,
      false,
      true,
      true,
    ])
    expect(heard(ahead, 10)).toEqual({ upTo: 12, ahead: [14] })
    expect(readUpTo(ahead, 13)).toEqual({ upTo: 14, ahead: [] })
  })

  it.each([
    ['7', { upTo: 7, ahead: [] }],
    ['7;9,12', { upTo: 7, ahead: [9, 12] }],
    ['7;8', { upTo: 8, ahead: [] }],
    ['', null],
    ['seven', null],
    [undefined, null],
  ])('is stored as text: %j', (text, cursor) => {
    expect(cursorOf(text)).toEqual(cursor)
    if (cursor) expect(cursorOf(textOf(cursor))).toEqual(cursor)
  })
})

describe('the stored incident', () => {
  it('is the same after it was stored as JSON', () => {
    const before = incident('opened')
    expect(incidentOf(JSON.parse(JSON.stringify(recordOf(before))))).toEqual(before)
  })

  it.each([
    ['nothing', {}],
    ['no event', { ...recordOf(incident('opened')).state, event: null }],
    ['no number of spells', { ...recordOf(incident('opened')).state, spells: undefined }],
  ])('is forgotten when it has %s', (_name, state) => {
    expect(incidentOf({ ...recordOf(incident('opened')), state })).toBeNull()
  })
})
