import { createHmac, timingSafeEqual } from 'node:crypto'

/** The HMAC-SHA256 of `message`, as 64 hexadecimal digits. */
export function sign(key: Uint8Array, message: string): string {
  return createHmac('sha256', key).update(message, 'utf8').digest('hex')
}

/** Whether `signature` is what `sign` gives for this key and message, compared in constant time. */
export function isSignedBy(key: Uint8Array, message: string, signature: string): boolean {
  const expected = Buffer.from(sign(key, message))
  const given = Buffer.from(signature)
  return given.length === expected.length && timingSafeEqual(given, expected)
}
