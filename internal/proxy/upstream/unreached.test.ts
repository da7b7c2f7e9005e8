import { expect, test } from 'vitest'
import { ForbiddenAddress } from './address.ts'
import { whyUnreached } from './unreached.ts'

const coded = (code: string) => Object.assign(new Error('raw text of the system'), { code })

test.each<[string, unknown, string]>([
  ['a name that is not known', coded('ENOTFOUND'), 'no such host name'],
  ['a closed port', coded('ECONNREFUSED'), 'connection refused'],
  [
    'a code in the cause',
    new Error('fetch failed', { cause: coded('CERT_HAS_EXPIRED') }),
    'its certificate has expired',
  ],
  ['a code without words', coded('EPROTO'), 'EPROTO'],
  ['an address that is not allowed', new ForbiddenAddress('h'), 'its address is private, see upstream.allowPrivate'],
  ['an error without a code', new Error('no answer in time'), 'no answer in time'],
  ['what is no error', null, 'it gave no answer'],
])('is said in words: %s', (_name, error, sentence) => {
  expect(whyUnreached(error)).toBe(sentence)
})
