import { describe, expect, it } from 'vitest'
import { type Address, formatAddress, parseAddress } from '../config.ts'
import { isNetwork } from './address.ts'

describe('an address', () => {
  it.each<[string, Address]>([
    ['127.0.0.1:8460', { host: '127.0.0.1', port: 8460 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['[::1]:8460', { host: '::1', port: 8460 }],
    [' 0.0.0.0:65535 ', { host: '0.0.0.0', port: 65_535 }],
  ])('reads %s and shows it again', (text, expected) => {
    expect(parseAddress(text)).toEqual(expected)
    expect(formatAddress(expected)).toBe(text.trim())
  })

  it.each([
    ['a port alone', '8460'],
    ['no host', ':8460'],
    ['no port', '127.0.0.1'],
    ['a port out of range', '127.0.0.1:65536'],
    ['a negative port', '127.0.0.1:-1'],
    ['IPv6 without brackets', '::1:8460'],
    ['a name in brackets', '[localhost]:8460'],
    ['a URL', 'http://127.0.0.1:8460'],
    ['a path after it', '127.0.0.1:8460/x'],
  ])('refuses %s', (_, text) => {
    expect(parseAddress(text)).toBeNull()
  })
})

describe('a network', () => {
  it.each(['10.0.0.0/8', '192.168.1.7', '::1', 'fd00::/8', '0.0.0.0/0'])('may be %s', (text) => {
    expect(isNetwork(text)).toBe(true)
  })

  it.each(['10.0.0.0/33', 'fd00::/129', '10.0.0.0/', '10.0.0.0/8/8', 'localhost', '10.0.0/8', ''])(
    'may not be %j',
    (text) => {
      expect(isNetwork(text)).toBe(false)
    },
  )
})
