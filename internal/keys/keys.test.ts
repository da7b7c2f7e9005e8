import { describe, expect, test } from 'vitest'
import { createKeyring, mintKey } from './keys.ts'

const now = Date.UTC(2026, 0, 5, 14)

function ringOf(pools: readonly string[] | null) {
  const { record, key } = mintKey('agent', pools, now)
  return { record, key: key.reveal(), ring: createKeyring([record]) }
}

describe('a minted key', () => {
  test('has an id, 256 random bits, and only characters that headers and subprotocols take', () => {
    const { record, key } = ringOf(null)
    expect(key).toMatch(/^sk-spillway-[0-9a-f]{16}-[A-Za-z0-9_-]{43}$/)
    expect(Buffer.from(key.slice(-43), 'base64url')).toHaveLength(32)
    expect(key).toContain(record.id)
  })

  test('leaves nothing in its record that opens a door', () => {
    const { record, key } = ringOf(['openai'])
    expect(record).toEqual({
      id: record.id,
      name: 'agent',
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      pools: ['openai'],
      createdAt: now,
      revokedAt: null,
    })
    expect(JSON.stringify(record)).not.toContain(key.slice(-43))
    expect(createKeyring([record]).check('openai', record.digest)).toEqual({ ok: false, why: 'unknown' })
  })

  test('is another one each time and hides itself in logs', () => {
    const minted = Array.from({ length: 100 }, () => mintKey('agent', null, now))
    expect(new Set(minted.map(({ key }) => key.reveal())).size).toBe(100)
    expect(new Set(minted.map(({ record }) => record.id)).size).toBe(100)
    expect(JSON.stringify(minted)).not.toContain('sk-spillway-')
  })
})

describe('a keyring', () => {
  test('accepts the key again and again and gives the same answer object', () => {
    const { record, key, ring } = ringOf(null)
    const first = ring.check('openai', key)
    expect(first).toEqual({ ok: true, key: record })
    expect(ring.check('gemini', key)).toBe(first)
  })

  test.each<[string, (key: string) => string | null, 'missing' | 'unknown']>([
    ['no key', () => null, 'missing'],
    ['an empty key', () => '', 'missing'],
    ['a key with another last character', (key) => key.slice(0, -1) + (key.endsWith('A') ? 'E' : 'A'), 'unknown'],
    ['a key that shares the id', (key) => `${key.slice(0, 29)}${'A'.repeat(43)}`, 'unknown'],
    ['a key cut short', (key) => key.slice(0, -1), 'unknown'],
    ['a key with something after it', (key) => `${key} `, 'unknown'],
    ['the id alone', (key) => key.slice(0, 28), 'unknown'],
    ['a key of the provider', () => 'sk-proj-abcdef', 'unknown'],
    ['SQL', () => `' or 1=1 --`, 'unknown'],
    ['a name of Object.prototype', () => '__proto__', 'unknown'],
  ])('refuses %s, also after the right key was seen', (_name, presented, why) => {
    const { key, ring } = ringOf(null)
    expect(ring.check('openai', presented(key))).toEqual({ ok: false, why })
    expect(ring.check('openai', key)).toMatchObject({ ok: true })
    expect(ring.check('openai', presented(key))).toEqual({ ok: false, why })
  })

  test('lets a key into its own pools only', () => {
    const { key, ring } = ringOf(['openai', 'gemini'])
    expect(ring.check('openai', key)).toMatchObject({ ok: true })
    expect(ring.check('anthropic', key)).toEqual({ ok: false, why: 'not-allowed' })
    expect(ring.check('toString', key)).toEqual({ ok: false, why: 'not-allowed' })
    expect(ring.check('gemini', key)).toMatchObject({ ok: true })
  })

  test('lets a key without any pool in nowhere', () => {
    const { key, ring } = ringOf([])
    expect(ring.check('openai', key)).toEqual({ ok: false, why: 'not-allowed' })
  })

  test('refuses a revoked key from the next request on, also one it has just accepted', () => {
    const { record, key, ring } = ringOf(null)
    expect(ring.check('openai', key)).toMatchObject({ ok: true })
    expect(ring.revoke(record.id, now + 5)).toEqual({ ...record, revokedAt: now + 5 })
    expect(ring.check('openai', key)).toEqual({ ok: false, why: 'unknown' })
    expect(ring.list()).toEqual([{ ...record, revokedAt: now + 5 }])
    expect(ring.revoke(record.id, now + 6)).toBeUndefined()
    expect(ring.revoke('nobody', now)).toBeUndefined()
  })

  test('refuses a key that was revoked before the start', () => {
    const { record, key } = ringOf(null)
    expect(createKeyring([{ ...record, revokedAt: now }]).check('openai', key)).toEqual({ ok: false, why: 'unknown' })
  })

  test('takes up changed pools at once', () => {
    const { record, key, ring } = ringOf(['openai'])
    expect(ring.check('gemini', key)).toEqual({ ok: false, why: 'not-allowed' })
    ring.add({ ...record, pools: ['gemini'] })
    expect(ring.check('gemini', key)).toMatchObject({ ok: true, key: { pools: ['gemini'] } })
    expect(ring.check('openai', key)).toEqual({ ok: false, why: 'not-allowed' })
  })

  test('goes on accepting every key when there are more than it remembers', () => {
    const minted = Array.from({ length: 10_050 }, (_, i) => mintKey(`k${i}`, null, now + i))
    const ring = createKeyring(minted.map(({ record }) => record))
    for (let round = 0; round < 2; round++) {
      for (const { record, key } of minted)
        expect(ring.check('openai', key.reveal())).toEqual({ ok: true, key: record })
    }
    expect(ring.list().map(({ name }) => name)).toEqual(minted.map(({ record }) => record.name))
  })
})
