import { describe, expect, test } from 'vitest'
import { addressGuard } from '../../net/net.ts'
import { guardedLookup, isForbiddenLiteral } from './address.ts'

describe('addresses of upstreams', () => {
  const guard = addressGuard(['127.0.0.0/8', 'fd00:1::/32'])

  test('a literal address in a URL is checked without a lookup, a name is not', () => {
    expect(isForbiddenLiteral('169.254.169.254', guard)).toBe(true)
    expect(isForbiddenLiteral('[fe80::1]', guard)).toBe(true)
    expect(isForbiddenLiteral('127.0.0.1', guard)).toBe(false)
    expect(isForbiddenLiteral('api.internal', guard)).toBe(false)
  })

  test('a name that only has forbidden addresses cannot be resolved', async () => {
    const lookup = guardedLookup(addressGuard([]))
    const outcome = await new Promise((resolve) => lookup('localhost', { all: true }, (error) => resolve(error)))
    expect(outcome).toMatchObject({ code: 'ERR_FORBIDDEN_ADDRESS' })
  })

  test('a name keeps its allowed addresses', async () => {
    const lookup = guardedLookup(guard)
    const found = await new Promise((resolve) => {
      lookup('localhost', { all: true }, (_error, addresses) => resolve(addresses))
    })
    expect(found).toEqual([{ address: '127.0.0.1', family: 4 }])
  })

  test('localhost is both loopback addresses, whatever the table of hosts says', async () => {
    const lookup = guardedLookup(addressGuard(['127.0.0.0/8', '::1/128']))
    const found = await new Promise((resolve) => {
      lookup('localhost', { all: true }, (_error, addresses) => resolve(addresses))
    })
    expect(found).toEqual([
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ])
  })
})
