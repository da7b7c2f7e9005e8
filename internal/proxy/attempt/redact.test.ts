import { expect, test } from 'vitest'
import { Redactor } from './redact.ts'

const secret = 'sk-live/abc+123'
const masked = '*'.repeat(secret.length)

function throughChunks(text: string, size: number): string {
  const redactor = new Redactor(secret)
  const bytes = Buffer.from(text)
  const out: Buffer[] = []
  for (let at = 0; at < bytes.length; at += size) out.push(redactor.chunk(bytes.subarray(at, at + size)))
  return Buffer.concat([...out, redactor.end()]).toString()
}

test('a secret is masked wherever it is, without changing a length', () => {
  const said = `no such key: ${secret}, really ${secret}`
  expect(new Redactor(secret).whole(Buffer.from(said)).toString()).toBe(`no such key: ${masked}, really ${masked}`)
})

test('a percent-encoded secret is masked', () => {
  const encoded = encodeURIComponent(secret)
  const headers = ['location', `/x?key=${encoded}`]
  new Redactor(secret).headers(headers)
  expect(headers).toEqual(['location', `/x?key=${'*'.repeat(encoded.length)}`])
})

test('bytes without the secret stay the same object', () => {
  const bytes = Buffer.from('nothing here')
  expect(new Redactor(secret).whole(bytes)).toBe(bytes)
})

test.each([1, 2, 3, 7, 14, 15, 16, 100])('a secret is masked when it comes in chunks of %i bytes', (size) => {
  const said = `a${secret}b${secret}${secret}c`
  expect(throughChunks(said, size)).toBe(`a${masked}b${masked}${masked}c`)
})

test('a stream without the secret comes out whole', () => {
  expect(throughChunks('sk-live/abc+12 and sk-live', 3)).toBe('sk-live/abc+12 and sk-live')
})
