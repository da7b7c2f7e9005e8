import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { isSignedBy, type SealContext, type Sealed, Secret, sign, Vault, VaultError } from './vault.ts'

const vault = new Vault(new Uint8Array(32).fill(7))
const context: SealContext = { owner: 'cred-1', field: 'refresh_token', generation: 3 }
const secret = new Secret('sk-live-9f8e7d')

function codeOf(run: () => unknown): string {
  try {
    run()
    return 'opened'
  } catch (error) {
    if (!(error instanceof VaultError)) throw error
    expect(error.hint).not.toBe('')
    expect(error.message).toContain(context.field)
    expect(error.message).not.toContain(secret.reveal())
    return error.code
  }
}

function flipped(sealed: Sealed, at: number): Sealed {
  const [version, keyId, encoded = ''] = sealed.split('.')
  const body = Buffer.from(encoded, 'base64url')
  const place = at < 0 ? body.length + at : at
  body[place] = (body[place] ?? 0) ^ 1
  return `${version}.${keyId}.${body.toString('base64url')}` as Sealed
}

describe('a sealed secret', () => {
  test.each(['', 'x', 'sk-live-9f8e7d', 'grüße 🔑', 'a'.repeat(100_000)])('opens as it was (%#)', (value) => {
    expect(vault.open(vault.seal(new Secret(value), context), context).reveal()).toBe(value)
  })

  test('opens after a restart with the same key file', () => {
    const sealed = vault.seal(secret, context)
    expect(new Vault(new Uint8Array(32).fill(7)).open(sealed, context).reveal()).toBe(secret.reveal())
  })

  test('never looks the same twice and does not contain the secret', () => {
    const sealed = Array.from({ length: 50 }, () => vault.seal(secret, context))
    expect(new Set(sealed).size).toBe(50)
    for (const each of sealed)
      expect(Buffer.from(each.split('.')[2] ?? '', 'base64url').includes('sk-live')).toBe(false)
  })

  test.each<[string, SealContext]>([
    ['another owner', { ...context, owner: 'cred-2' }],
    ['another field', { ...context, field: 'access_token' }],
    ['another generation', { ...context, generation: 4 }],
    ['an owner and a field that join to the same text', { owner: 'cred-1|refresh', field: '_token', generation: 3 }],
  ])('does not open in the row of %s', (_name, elsewhere) => {
    const sealed = vault.seal(secret, context)
    expect(() => vault.open(sealed, elsewhere)).toThrow(VaultError)
    expect(() => vault.open(sealed, elsewhere)).toThrow(/changed or belongs to another row/)
  })

  test.each<[string, (sealed: Sealed) => Sealed]>([
    ['its IV', (sealed) => flipped(sealed, 0)],
    ['its ciphertext', (sealed) => flipped(sealed, 12)],
    ['its tag', (sealed) => flipped(sealed, -1)],
  ])('does not open when one bit of %s was changed', (_name, change) => {
    expect(codeOf(() => vault.open(change(vault.seal(secret, context)), context))).toBe('not-authentic')
  })

  test('says that it belongs to another master key', () => {
    const other = new Vault(randomBytes(32))
    expect(codeOf(() => vault.open(other.seal(secret, context), context))).toBe('foreign-key')
  })

  test.each([
    ['nothing', ''],
    ['the bare secret', 'sk-live-9f8e7d'],
    ['another version', `v2.${vault.keyId}.AAAA`],
    ['too short a body', `v1.${vault.keyId}.AAAA`],
  ])('is refused when it is %s', (_name, text) => {
    expect(codeOf(() => vault.open(text as Sealed, context))).toBe('malformed')
  })
})

describe('a vault', () => {
  test('shows neither its key nor a secret when it is printed', () => {
    const shown = `${JSON.stringify(vault)} ${String(secret)} ${JSON.stringify({ secret })}`
    expect(shown).not.toContain('sk-live')
    expect(Object.keys(vault)).toEqual(['keyId'])
    expect(vault.keyId).toMatch(/^[0-9a-f]{16}$/)
  })

  test('is not opened with a key of another length', () => {
    expect(() => new Vault(new Uint8Array(31))).toThrow(RangeError)
  })

  test('signs with a key of its own purpose that follows from the master key', () => {
    const same = new Vault(new Uint8Array(32).fill(7))
    const other = new Vault(new Uint8Array(32).fill(8))
    expect(Buffer.from(same.auditKey()).equals(vault.auditKey())).toBe(true)
    expect(Buffer.from(other.auditKey()).equals(vault.auditKey())).toBe(false)
    expect(Buffer.from(vault.auditKey()).equals(new Uint8Array(32).fill(7))).toBe(false)
  })
})

describe('a signature', () => {
  const key = vault.auditKey()

  test('is HMAC-SHA256 (RFC 4231, case 2)', () => {
    const expected = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'
    expect(sign(Buffer.from('Jefe'), 'what do ya want for nothing?')).toBe(expected)
  })

  test.each<[string, string, string, boolean]>([
    ['the signed message', '7|abc', sign(key, '7|abc'), true],
    ['another message', '8|abc', sign(key, '7|abc'), false],
    ['a signature by another key', '7|abc', sign(new Uint8Array(32), '7|abc'), false],
    ['a shortened signature', '7|abc', sign(key, '7|abc').slice(1), false],
    ['no signature', '7|abc', '', false],
  ])('of %s is judged rightly', (_name, message, signature, valid) => {
    expect(isSignedBy(key, message, signature)).toBe(valid)
  })
})
