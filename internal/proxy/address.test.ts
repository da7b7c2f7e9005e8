import { describe, expect, test } from 'vitest'
import { addressGuard, guardedLookup, isForbiddenLiteral } from './address.ts'

describe('addresses of upstreams', () => {
  const guard = addressGuard(['127.0.0.0/8', 'fd00:1::/32'])

  test.each([
    ['a public address', '93.184.215.14', true],
    ['a public IPv6 address', '2606:2800:21f:cb07::1', true],
    ['the loopback, which is allowed', '127.0.0.1', true],
    ['an allowed local network', 'fd00:1::5', true],
    ['another local network', 'fd00:2::5', false],
    ['a private network', '10.1.2.3', false],
    ['the metadata address', '169.254.169.254', false],
    ['the metadata address, mapped', '::ffff:169.254.169.254', false],
    ['the metadata address, mapped in hexadecimal', '::ffff:a9fe:a9fe', false],
    ['the metadata address, translated', '64:ff9b::a9fe:a9fe', false],
    ['an allowed address, mapped', '::ffff:127.0.0.1', true],
    ['this network', '0.0.0.0', false],
    ['carrier-grade NAT', '100.64.0.1', false],
    ['the IPv6 loopback', '::1', false],
    ['IPv6 link-local', 'fe80::1', false],
    ['multicast', '224.0.0.1', false],
  ])('%s', (_name, address, allowed) => {
    expect(guard(address)).toBe(allowed)
  })

  test('a literal address in a URL is checked without a lookup, a name is not', () => {
    expect(isForbiddenLiteral('169.254.169.254', guard)).toBe(true)
    expect(isForbiddenLiteral('[fe80::1]', guard)).toBe(true)
    expect(isForbiddenLiteral('127.0.0.1', guard)).toBe(false)
    expect(isForbiddenLiteral('metadata.internal', guard)).toBe(false)
  })

  test('a name that only has forbidden addresses cannot be resolved', async () => {
    const lookup = guardedLookup(addressGuard([]))
    const outcome = await new Promise((resolve) => lookup('localhost', { all: true }, (error) => resolve(error)))
    expect(outcome).toMatchObject({ code: 'ERR_FORBIDDEN_ADDRESS' })
  })

  test('a name keeps its allowed addresses', async () => {
    const lookup = guardedLookup(guard)
    const found = await new Promise((resolve) => {
      lookup('localhost', { all: false }, (_error, address) => resolve(address))
    })
    expect(found).toBe('127.0.0.1')
  })
})
