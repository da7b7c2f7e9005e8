import { beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../clock/clock.ts'
import { countGuesses } from './guesses.ts'
import { createSessions, type Sessions, sessionMs } from './sessions.ts'

let clock: FakeClock
let sessions: Sessions

beforeEach(() => {
  clock = new FakeClock()
  sessions = createSessions(clock)
})

describe('a link', () => {
  it('is exchanged once', () => {
    const { token, expiresAt } = sessions.link()
    expect(expiresAt - clock.now()).toBe(300_000)
    expect(sessions.redeem(token)).toMatch(/^[\w-]{43}$/)
    expect(sessions.redeem(token)).toBeNull()
  })

  it('is over five minutes after it was made', async () => {
    const [one, other] = [sessions.link(), sessions.link()]
    await clock.advance(299_999)
    expect(sessions.redeem(one.token)).not.toBeNull()
    await clock.advance(1)
    expect(sessions.redeem(other.token)).toBeNull()
  })

  it('gives way when there are too many', () => {
    const { token } = sessions.link()
    for (let n = 0; n < 100; n++) sessions.link()
    expect(sessions.redeem(token)).toBeNull()
  })
})

describe('a session', () => {
  const begun = () => sessions.redeem(sessions.link().token) ?? ''

  it('is over after twelve hours', async () => {
    const secret = begun()
    await clock.advance(sessionMs - 1)
    expect(sessions.find(secret)).not.toBeNull()
    await clock.advance(1)
    expect(sessions.find(secret)).toBeNull()
  })

  it('ends alone, or with all others', () => {
    const [one, two, three] = [begun(), begun(), begun()]
    sessions.end(one)
    expect([one, two, three].map((secret) => sessions.find(secret) !== null)).toEqual([false, true, true])
    sessions.clear()
    expect([two, three].map((secret) => sessions.find(secret))).toEqual([null, null])
  })
})

describe('guesses', () => {
  it('are counted for each address and minute', async () => {
    const guesses = countGuesses(clock)
    for (let n = 0; n < 10; n++) {
      expect(guesses.waitSeconds('10.0.0.1')).toBe(0)
      guesses.wrong('10.0.0.1')
    }
    expect(guesses.waitSeconds('10.0.0.1')).toBe(60)
    expect(guesses.waitSeconds('10.0.0.2')).toBe(0)
    await clock.advance(59_001)
    expect(guesses.waitSeconds('10.0.0.1')).toBe(1)
    await clock.advance(999)
    expect(guesses.waitSeconds('10.0.0.1')).toBe(0)
  })

  it('of one IPv6 network are those of one address', () => {
    const guesses = countGuesses(clock)
    for (let n = 0; n < 10; n++) guesses.wrong(`2001:db8:1:2::${n}`)
    expect(guesses.waitSeconds('2001:db8:1:2:a:b:c:d')).toBe(60)
    expect(guesses.waitSeconds('2001:db8:1:3::1')).toBe(0)
  })
})
