import { describe, expect, test } from 'vitest'
import { addressGuard, isLoopback, literalAddress } from './net.ts'

describe('an address that a connection may be made to', () => {
  const guard = addressGuard(['127.0.0.0/8', 'fd00:1::/32', '192.168.7.7'])

  test.each([
    ['a public address', '93.184.215.14', true],
    ['a public IPv6 address', '2606:2800:21f:cb07::1', true],
    ['a public address, translated', '64:ff9b::5db8:d70e', true],
    ['the loopback, which is allowed', '127.0.0.1', true],
    ['an allowed local network', 'fd00:1::5', true],
    ['an allowed address without a prefix', '192.168.7.7', true],
    ['its neighbour', '192.168.7.8', false],
    ['another local network', 'fd00:2::5', false],
    ['a private network', '10.1.2.3', false],
    ['a network of examples', '203.0.113.9', false],
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
})

test.each([
  ['localhost', true],
  ['LOCALHOST.', true],
  ['a.localhost', true],
  ['127.9.9.9', true],
  ['[::1]', true],
  ['::ffff:127.0.0.1', true],
  ['localhost.evil.example', false],
  ['128.0.0.1', false],
])('%s is this machine: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected)
})

test.each([
  ['[fe80::1]', 'fe80::1'],
  ['10.0.0.1', '10.0.0.1'],
  ['metadata.google.internal.', '169.254.169.254'],
  ['api.openai.com', null],
])('%s stands for %s without a look-up', (host, address) => {
  expect(literalAddress(host)).toBe(address)
})
