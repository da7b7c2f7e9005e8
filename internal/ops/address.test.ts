import { describe, expect, test } from 'vitest'
import { checkBaseUrl } from './address.ts'

const allowPrivate = ['127.0.0.0/8', '10.1.0.0/16']

describe('a base URL is taken', () => {
  test.each([
    ['https://api.openai.com', 'https://api.openai.com'],
    ['https://api.openai.com/', 'https://api.openai.com'],
    ['https://api.openai.com/v1//', 'https://api.openai.com/v1'],
    ['HTTPS://API.example:8443/a%2Fb', 'https://api.example:8443/a%2Fb'],
    ['http://127.0.0.1:4000', 'http://127.0.0.1:4000'],
    ['http://localhost:4000/x', 'http://localhost:4000/x'],
    ['http://[::1]:4000', 'http://[::1]:4000'],
    ['http://10.1.2.3', 'http://10.1.2.3'],
    ['http://93.184.216.34', 'http://93.184.216.34'],
  ])('%s', (given, taken) => {
    expect(checkBaseUrl(given, allowPrivate)).toBe(taken)
  })
})

// A23: an upstream that is really a router, a neighbour or a cloud's metadata service, also in disguise.
describe('a base URL is refused', () => {
  test.each([
    ['api.openai.com', /is not a URL/],
    ['', /is not a URL/],
    ['file:///etc/passwd', /begins with https/],
    ['https://user@api.openai.com', /no user name/],
    ['https://api.openai.com/?key=x', /no query/],
    ['https://api.openai.com/#x', /no query/],
    ['https://api.openai.com/?', /no query/],
    ['http://10.0.0.1', /private/],
    ['http://192.168.1.1', /private/],
    ['http://172.31.255.255', /private/],
    ['http://100.64.0.1', /private/],
    ['http://0.0.0.0', /private/],
    ['http://169.254.169.254/latest', /private/],
    ['http://2852039166', /private/],
    ['http://0xa9.254.0251.0376', /private/],
    ['http://[::ffff:169.254.169.254]', /private/],
    ['http://[::ffff:a00:1]', /private/],
    ['http://[fe80::1]', /private/],
    ['http://[fd00::1]', /private/],
    ['http://[::]', /private/],
    ['http://203.0.113.9', /private/],
    ['http://metadata.google.internal', /private/],
    ['http://metadata.google.internal.', /private/],
  ])('%s', (given, why) => {
    expect(() => checkBaseUrl(given, allowPrivate)).toThrow(why)
  })

  test('with the line for the configuration that would allow it', () => {
    expect(() => checkBaseUrl('http://10.0.0.1', allowPrivate)).toThrow(
      expect.objectContaining({
        code: 'invalid',
        hint: 'allow it on purpose with upstream.allowPrivate: [10.0.0.1/32] in spillway.yaml',
      }),
    )
  })
})
