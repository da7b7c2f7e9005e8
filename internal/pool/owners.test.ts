import { describe, expect, it } from 'vitest'
import { coolingUntil, parkedUntil, type SeatTerms, seatOf } from '../../test/property/seats.ts'
import { openGate } from './gate.ts'
import { Owners, selectOwner } from './owners.ts'
import { cooled, disabled } from './transition.ts'

const day = 86_400_000

describe('owners', () => {
  it('are known for a day after their state was last named in an answer', () => {
    const owners = new Owners<string>()
    owners.note('r1', 'a', { isUpload: false, now: 0 })
    expect([owners.of(['r1'], day - 1), owners.of(['r1'], day), owners.of([], 0)]).toEqual(['a', null, null])
  })

  it('are that of the first id that is known', () => {
    const owners = new Owners<string>()
    owners.note('f2', 'b', { isUpload: true, now: 0 })
    owners.note('f3', 'c', { isUpload: true, now: 0 })
    expect(owners.of(['f1', 'f2', 'f3'], 1)).toBe('b')
  })

  it('say whether anything but responses is known', () => {
    const owners = new Owners<string>()
    owners.note('r1', 'a', { isUpload: false, now: 0 })
    expect(owners.knowsUploads).toBe(false)
    owners.note('f1', 'a', { isUpload: true, now: 0 })
    expect(owners.knowsUploads).toBe(true)
  })
})

describe('who of the owners serves', () => {
  const away = openGate('host', 'down.example', cooled('connect', 500, 0, 0))
  const shut: SeatTerms = { health: coolingUntil(900) }
  const out: SeatTerms = { health: disabled('auth-rejected', 'upstream', 0) }
  const elapsed: SeatTerms = { health: coolingUntil(50) }
  const full: SeatTerms = { maxInFlight: 1, inFlight: 1 }
  const parked: SeatTerms = { park: parkedUntil(null) }

  it.each<[string, SeatTerms[], object]>([
    ['one that is well', [shut, {}], { rung: 'healthy', member: '1' }],
    ['the first tier', [{ tier: 2 }, {}], { rung: 'healthy', member: '1' }],
    ['who has least to do', [{ inFlight: 2 }, { inFlight: 1 }], { rung: 'healthy', member: '1' }],
    ['one whose cooldown is over, as its probe', [out, elapsed], { rung: 'probe', member: '1' }],
    ['one that is parked', [parked], { rung: 'parked', member: '0' }],
    ['a parked one, as its probe', [{ ...parked, ...elapsed }], { rung: 'parked-probe', member: '0' }],
    ['nobody yet who is full', [shut, full], { rung: 'full', member: '1' }],
    ['nobody behind a host that is away', [shut, { host: away }], { rung: 'host', member: '1', retryAt: 500 }],
    ['nobody who cools', [{ health: coolingUntil(990) }, shut, out], { rung: 'exhausted', member: '1', retryAt: 900 }],
    ['nobody who waits for a person', [out], { rung: 'exhausted', retryAt: null }],
    ['nobody where there is none', [], { rung: 'exhausted', retryAt: null }],
  ])('%s', (_name, terms, expected) => {
    const choice = selectOwner(
      terms.map((one, at) => seatOf(String(at), one)),
      { model: null, tried: [] },
      100,
    )
    const seat = 'seat' in choice ? choice.seat : 'first' in choice ? choice.first : null
    expect({ ...choice, member: seat?.member }).toMatchObject(expected)
  })

  it('nobody whom the request has met, and who could serve it', () => {
    const met = seatOf('a')
    const other = seatOf('b', shut)
    expect(selectOwner([met, other], { model: null, tried: [met] }, 100)).toEqual({ rung: 'tried' })
    expect(selectOwner([met, seatOf('c')], { model: null, tried: [met] }, 100)).toMatchObject({ rung: 'healthy' })
    expect(selectOwner([other], { model: null, tried: [other] }, 100)).toMatchObject({
      rung: 'exhausted',
      retryAt: 900,
    })
  })

  it('nobody who is limited for the model', () => {
    const limited = seatOf('a', { models: { opus: coolingUntil(700) } })
    expect(selectOwner([limited], { model: 'opus', tried: [] }, 100)).toMatchObject({ rung: 'exhausted', retryAt: 700 })
    expect(selectOwner([limited], { model: null, tried: [] }, 100)).toMatchObject({ rung: 'healthy' })
  })
})
