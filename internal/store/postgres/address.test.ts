import { describe, expect, test } from 'vitest'
import { type Address, addressOf } from './address.ts'
import { passwordIn } from './password.ts'

describe('the address of a database', () => {
  test.each<[string, string, Partial<Address>]>([
    [
      'on another machine is verified',
      'postgres://spillway@db.internal/fleet',
      { host: 'db.internal', port: 5432, user: 'spillway', database: 'fleet', sslMode: 'verify-full' },
    ],
    ['has the port that it names', 'postgresql://u@db:6543/x', { port: 6543, label: 'postgres://u@db:6543/x' }],
    ['on this machine is in clear', 'postgres://u@127.0.0.1/x', { sslMode: 'disable' }],
    ['on this machine is in clear by name', 'postgres://u@localhost/x', { sslMode: 'disable' }],
    [
      'on this machine is in clear under IPv6',
      'postgres://u@[::1]/x',
      { host: '::1', sslMode: 'disable', label: 'postgres://u@[::1]:5432/x' },
    ],
    ['that begins like a loopback is none', 'postgres://u@127.example.org/x', { sslMode: 'verify-full' }],
    ['is as protected as it says', 'postgres://u@127.0.0.1/x?sslmode=verify-ca', { sslMode: 'verify-ca' }],
    ['may say that it is in clear', 'postgres://u@db/x?sslmode=disable', { sslMode: 'disable' }],
    [
      'may be a socket',
      'postgres://u@localhost/x?host=/run/postgresql',
      { host: '/run/postgresql', sslMode: 'disable', label: 'postgres://u@/run/postgresql/x' },
    ],
    ['without a user is of whoever runs it', 'postgres://db/x', { user: 'me' }],
    ['has names that are escaped', 'postgres://a%40b@db/x%2Fy', { user: 'a@b', database: 'x/y' }],
  ])('%s', (_name, url, expected) => {
    expect(addressOf(url, 'me')).toMatchObject(expected)
  })

  test.each([
    ['no URL of PostgreSQL', 'mysql://u@db/x', /it is no postgres:\/\/ URL/],
    ['no URL', 'postgres', /it is no postgres:\/\/ URL/],
    ['a password', 'postgres://u:hunter2@db/x', /it holds a password/],
    ['no database', 'postgres://u@db', /it names no database/],
    ['no host', 'postgres:///x', /it names no host/],
    ['an unknown mode', 'postgres://u@db/x?sslmode=prefer', /sslmode must be disable, require/],
    ['an unknown parameter', 'postgres://u@db/x?options=-c', /parameter options, and only sslmode and host are known/],
  ])('is refused with %s, and nothing of it is repeated', (_name, url, expected) => {
    const refusal = () => addressOf(url, 'me')
    expect(refusal).toThrow(expected)
    expect(refusal).not.toThrow(/hunter2/)
  })
})

describe('the password file', () => {
  const at = { host: 'db', port: 5432, user: 'u', database: 'x', sslMode: 'disable', label: '' } as const

  test.each([
    ['a line that names everything', 'db:5432:x:u:secret', 'secret'],
    ['a line with stars', '*:*:*:*:secret', 'secret'],
    ['the first line that fits', 'db:5432:x:other:no\ndb:5432:*:u:first\n*:*:*:*:second', 'first'],
    ['no line that is a comment', '#db:5432:x:u:no\ndb:*:*:*:yes', 'yes'],
    ['a password with a colon and a backslash', 'db:5432:x:u:a\\:b\\\\c', 'a:b\\c'],
    ['nothing where no line fits', 'other:5432:x:u:secret', undefined],
    ['nothing in a line that is too short', 'db:5432:x:secret', undefined],
    ['nothing in an empty file', '', undefined],
  ])('gives %s', (_name, text, expected) => {
    expect(passwordIn(text, at)).toBe(expected)
  })

  test('calls a socket localhost', () => {
    expect(passwordIn('localhost:5432:x:u:secret', { ...at, host: '/run/postgresql' })).toBe('secret')
  })
})
