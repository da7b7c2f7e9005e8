import { describe, expect, it } from 'vitest'
import { otherKey, type Traces } from './fingerprint.ts'

const ours = 'a'.repeat(16)
const theirs = 'b'.repeat(16)

describe('the key that a store belongs to', () => {
  it.each<[string, Partial<Traces>, string | null]>([
    ['the fingerprint that it keeps', { kept: theirs }, theirs],
    ['the fingerprint that it keeps, whatever was sealed since', { kept: ours, sealed: [count(theirs, 2)] }, null],
    ['the key that its secrets are sealed under', { sealed: [count(theirs, 2)] }, theirs],
    ['the key of the most secrets', { sealed: [count(ours, 3), count(theirs, 1)] }, null],
    ['the key of the most secrets, not of the newest', { sealed: [count(theirs, 3), count(ours, 1)] }, theirs],
    ['ours, when it is not clear', { sealed: [count(theirs, 2), count(ours, 2)] }, null],
    [
      'ours by its secrets, though somebody changed the audit log',
      { sealed: [count(ours, 1)], signedByAnother: true },
      null,
    ],
    ['without secrets, the key that signed its audit log', { signedByAnother: true }, 'unknown'],
    ['ours, when it is as good as new', {}, null],
  ])('is %s', (_name, traces, other) => {
    expect(otherKey({ kept: null, sealed: [], signedByAnother: false, ...traces }, ours)).toBe(other)
  })
})

function count(keyId: string, count: number) {
  return { keyId, count }
}
