import { describe, expect, it } from 'vitest'
import { type Asked, type Place, passes } from './gate.ts'

const here: Place = { scheme: 'http', listenHost: '127.0.0.1', publicUrl: null }
const there: Place = { scheme: 'http', listenHost: '0.0.0.0', publicUrl: 'https://spillway.example' }
const plain: Asked = {
  method: 'GET',
  host: '127.0.0.1:8461',
  origin: undefined,
  site: undefined,
  mode: undefined,
  reached: '127.0.0.1',
}
const change = { method: 'POST', origin: 'http://127.0.0.1:8461' }

describe('passes', () => {
  it.each<[string, Partial<Asked>, Place, ReturnType<typeof passes>]>([
    ['a page', {}, here, 'yes'],
    ['localhost', { host: 'localhost:8461' }, here, 'yes'],
    ['IPv6', { host: '[::1]:8461', reached: '::1' }, here, 'yes'],
    ['another port, as behind a tunnel', { host: '127.0.0.1:9000' }, here, 'yes'],
    ['no host', { host: undefined }, here, 'foreign-host'],
    ['a host that is none', { host: 'a b' }, here, 'foreign-host'],
    ['a name that was rebound', { host: 'evil.example:8461' }, here, 'foreign-host'],
    ['loopback by name, reached from outside', { host: 'localhost', reached: '10.0.0.7' }, there, 'foreign-host'],
    ['the address that was reached', { host: '10.0.0.7:8461', reached: '::ffff:10.0.0.7' }, there, 'yes'],
    ['the public name', { host: 'Spillway.example' }, there, 'yes'],
    ['the public name with its port', { host: 'spillway.example:443' }, there, 'yes'],
    ['another name behind the proxy', { host: 'evil.example' }, there, 'foreign-host'],
    ['a change of our page', change, here, 'yes'],
    [
      'a change behind the proxy',
      { ...change, host: 'spillway.example', origin: 'https://spillway.example' },
      there,
      'yes',
    ],
    ['a change without headers', { method: 'POST' }, here, 'foreign-origin'],
    ['a change that the browser vouches for', { method: 'POST', site: 'same-origin' }, here, 'yes'],
    ['a form without a referrer', { method: 'POST', site: 'same-origin', origin: 'null' }, here, 'yes'],
    ['an origin that is none', { method: 'POST', origin: 'null' }, here, 'foreign-origin'],
    ['another port of this machine', { method: 'POST', origin: 'http://127.0.0.1:1' }, here, 'foreign-origin'],
    ['another scheme', { method: 'POST', origin: 'https://127.0.0.1:8461' }, here, 'foreign-origin'],
    ['what contradicts itself', { ...change, site: 'cross-site' }, here, 'foreign-origin'],
    ['a foreign page that reads', { origin: 'http://evil.example' }, here, 'foreign-origin'],
    ['a link on another site', { site: 'cross-site', mode: 'navigate' }, here, 'yes'],
    ['an address that was typed', { site: 'none', mode: 'navigate' }, here, 'yes'],
    ['what a page on another port loads', { site: 'same-site', mode: 'no-cors' }, here, 'foreign-origin'],
    ['what our page loads', { site: 'same-origin', mode: 'cors' }, here, 'yes'],
  ])('%s', (_, asked, place, verdict) => {
    expect(passes({ ...plain, ...asked }, place)).toBe(verdict)
  })
})
