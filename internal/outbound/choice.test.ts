import { describe, expect, test } from 'vitest'
import { OutboundProxy, proxyChoice } from './choice.ts'

const office = 'http://proxy.test:3128'

function way(env: Record<string, string>, url: string, configured: string | null = null): string {
  return String(proxyChoice(env, configured).proxyFor(new URL(url)))
}

describe('the proxy on the way', () => {
  test.each([
    ['to https', { HTTPS_PROXY: office }, 'https://api.test/v1', office],
    ['to http', { HTTP_PROXY: office }, 'http://api.test/v1', office],
    ['in lower case', { https_proxy: office }, 'https://api.test', office],
    [
      'in lower case, which wins',
      { https_proxy: office, HTTPS_PROXY: 'http://other.test' },
      'https://api.test',
      office,
    ],
    [
      'in lower case, which wins when it is empty',
      { https_proxy: '', HTTPS_PROXY: office },
      'https://api.test',
      'null',
    ],
    ['of http, which is not one of https', { HTTP_PROXY: office }, 'https://api.test', 'null'],
    ['of https, which is not one of http', { HTTPS_PROXY: office }, 'http://api.test', 'null'],
    ['without a scheme', { HTTPS_PROXY: 'proxy.test:3128' }, 'https://api.test', office],
    ['with TLS', { HTTPS_PROXY: 'https://proxy.test' }, 'https://api.test', 'https://proxy.test'],
    ['to this machine, too', { HTTP_PROXY: office }, 'http://127.0.0.1:9', office],
    ['not at all', {}, 'https://api.test', 'null'],
  ] as const)('%s', (_name, env, url, expected) => {
    expect(way(env, url)).toBe(expected)
  })

  test('is the configured one for both, and NO_PROXY holds for it', () => {
    const env = { HTTPS_PROXY: 'http://other.test', NO_PROXY: 'near.test' }
    expect(way(env, 'https://api.test', office)).toBe(office)
    expect(way(env, 'http://api.test', office)).toBe(office)
    expect(way(env, 'http://near.test', office)).toBe('null')
  })
})

describe('NO_PROXY', () => {
  test.each([
    ['*', 'http://api.test', true],
    ['api.test', 'http://api.test', true],
    ['API.test', 'http://api.TEST', true],
    ['api.test', 'http://eu.api.test', true],
    ['.api.test', 'http://eu.api.test', true],
    ['.api.test', 'http://api.test', true],
    ['*.api.test', 'http://eu.api.test', true],
    ['api.test', 'http://notapi.test', false],
    ['api.test', 'http://api.test.evil', false],
    ['other.test, api.test', 'http://api.test', true],
    ['other.test api.test', 'http://api.test', true],
    ['api.test:8080', 'http://api.test:8080', true],
    ['api.test:8080', 'http://api.test', false],
    ['api.test:80', 'http://api.test', true],
    ['127.0.0.1', 'http://127.0.0.1:4000', true],
    ['localhost', 'http://localhost:4000', true],
    ['localhost', 'http://127.0.0.1:4000', false],
    ['::1', 'http://[::1]:4000', true],
    ['[::1]', 'http://[::1]:4000', true],
    ['[::1]:4000', 'http://[::1]:4000', true],
    ['[::1]:4001', 'http://[::1]:4000', false],
    ['10.0.0.0/8', 'http://10.1.2.3', true],
    ['10.0.0.0/8', 'http://11.1.2.3', false],
    ['fd00::/8', 'http://[fd00::5]', true],
    ['10.0.0.0/99', 'http://10.1.2.3', false],
    ['', 'http://api.test', false],
    [',', 'http://api.test', false],
  ])('%s makes %s direct: %s', (noProxy, url, isDirect) => {
    expect(way({ HTTP_PROXY: office, NO_PROXY: noProxy }, url)).toBe(isDirect ? 'null' : office)
  })
})

describe('a proxy that cannot be used', () => {
  test.each([
    ['socks5://user:secret@127.0.0.1:1080', /^HTTPS_PROXY names a proxy of the kind socks5:/],
    ['http://user:secret@:3128', /^HTTPS_PROXY is not the URL of a proxy/],
  ])('%s is refused in words that show no password', (value, why) => {
    expect(() => proxyChoice({ HTTPS_PROXY: value }, null)).toThrow(why)
    expect(() => proxyChoice({ HTTPS_PROXY: value }, null)).not.toThrow(/secret/)
  })
})

test('a proxy shows no password, however it is printed, and presents it', () => {
  const proxy = new OutboundProxy(new URL('http://us%65r:p%40ss@proxy.test:3128'))
  for (const shown of [String(proxy), JSON.stringify(proxy), proxy.url.href])
    expect(shown).not.toMatch(/p%40ss|p@ss|user/)
  expect(String(proxy)).toBe('http://***@proxy.test:3128')
  expect(proxy.authorization()).toBe(`Basic ${Buffer.from('user:p@ss').toString('base64')}`)
})
