import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redact } from './log.ts'

const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U'

/** Each has the word CANARY inside the part that must not be seen. */
const secrets: readonly (readonly [name: string, text: string])[] = [
  ['an OpenAI key', 'Incorrect API key provided: sk-CANARYabcdef123456. You can find'],
  ['a project key', 'sk-proj-CANARY_abc-def'],
  ['a key that the upstream masked', 'sk-CANARY************************wxyz'],
  ['an Anthropic key', 'x-api-key sk-ant-api03-CANARY-abc'],
  ['an OpenRouter key', '(sk-or-v1-CANARY0123456789)'],
  ['a client key of ours', 'unknown key sk-spillway-CANARY0123456789'],
  ['a bearer token', 'authorization: Bearer CANARYtoken'],
  ['a bearer token in another case', 'sent "bearer CANARYtoken"'],
  ['basic credentials', 'Authorization: Basic CANARY0dXNlcjpwYXNz'],
  ['an authorization header without a scheme', 'authorization: CANARY'],
  ['a JSON Web Token', `token ${jwt.replace('dozjg', 'CANARY')} expired`],
  ['a token that was cut off', 'got eyJhbGciOiJCANARY'],
  ['a key in a query', 'GET /v1beta/models?key=CANARY&alt=sse'],
  ['a key under an encoded name', 'GET /v1beta/models?a=1&%6Bey=CANARY'],
  ['a key under another encoded name', '?k%65y=CANARY'],
  ['an OAuth code', 'https://x/callback?code=CANARY&state=1'],
  ['a Google key', 'AIzaSyCANARY-abcdefghijklmnopqrstuvwxyz'],
  ['a Google access token', 'ya29.CANARYabcdefgh'],
  ['a Google refresh token', '1//0CANARYabcdefgh'],
  ['a GitHub token', 'ghp_CANARYabcdefghij'],
  ['a refresh token', 'rt_CANARYabcdefghij'],
  ['a Telegram token', 'POST /bot1234567890:AACANARY-abcdefghijklmnopqrstuvwxyz/sendMessage'],
  ['a WebSocket protocol', 'realtime, openai-insecure-api-key.CANARY, v1'],
  ['a password in a URL', 'postgres://spillway:CANARY@db:5432/x'],
  ['a JSON field', '{"access_token":"CANARY", "expires_in": 3600}'],
  ['a JSON field with spaces', "{ 'refresh_token' : 'CANARY' }"],
  ['JSON inside a string', String.raw`"{\"access_token\":\"CANARY\"}"`],
  ['JSON that was cut off', '{"client_secret":"CANARY'],
  ['an ordinary word as a JSON field', '{"token":"CANARY"}'],
  ['an assignment', 'API_KEY=CANARY agent'],
  ['an assignment in quotes', 'password = "CANARY with spaces"'],
  ['a header', 'x-api-key: CANARY'],
  ["Google's header", 'x-goog-api-key: CANARY'],
  ['a cookie', 'set-cookie: a=1; session=CANARY; path=/'],
  ['a key of no form that the upstream repeats', 'Incorrect API key provided: CANARY.'],
  ['a long random key', `key 9${'aB3'.repeat(10)}CANARY${'xY7'.repeat(10)} rejected`],
]

describe('redact', () => {
  it.each(secrets)('hides %s', (_, text) => {
    expect(redact(text)).not.toContain('CANARY')
    expect(redact(text)).toContain('[redacted]')
  })

  it.each([
    ['an error code', '{"error":{"code":"invalid_api_key","type":"invalid_request_error"}}'],
    ['a sentence about tokens', 'refresh token: revoked, please log in'],
    ['a sentence about Bearer', 'expected a Bearer token, Basic authentication was sent'],
    ['a code before a colon', '401 invalid_api_key: rejected'],
    ['a token count', 'tokens: 1500 of 200000 used, max_tokens=4096'],
    ['a digest', '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
    ['a request id', 'req_011CQ7Jx6a4f3 chatcmpl-9abcdef'],
    ['a host', 'connect ECONNREFUSED 127.0.0.1:8460 https://api.openai.com/v1/responses'],
    ['a path', '/home/user/.local/share/spillway/credentials/a-very-long-file-name-in-a-folder.json'],
    ['hyphenated words', 'task-force risk-averse sk-learn'],
    ['time', '2026-01-05T14:05:00.000Z'],
    ['nothing', ''],
  ])('leaves %s alone', (_, text) => {
    expect(redact(text)).toBe(text)
  })

  it('keeps what stands around a secret', () => {
    expect(redact('GET /m?key=abc&alt=sse 429')).toBe('GET /m?key=[redacted]&alt=sse 429')
    expect(redact('{"access_token":"abc","expires_in":1}')).toBe('{"access_token":[redacted],"expires_in":1}')
    expect(redact('postgres://u:p@db/x')).toBe('postgres://[redacted]@db/x')
    expect(redact('401: Bearer abcdefgh was refused')).toBe('401: Bearer [redacted] was refused')
  })

  it('hides several secrets of one text', () => {
    expect(redact('sk-aaaaaaaa and sk-bbbbbbbb')).toBe('[redacted] and [redacted]')
  })

  it('changes nothing when it is applied again, whatever surrounds a secret', () => {
    const piece = fc.oneof(fc.string(), fc.constantFrom(...secrets.map(([, text]) => text)))
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 5 }), (pieces) => {
        const once = redact(pieces.join('\n'))
        expect(once).not.toContain('CANARY')
        expect(redact(once)).toBe(once)
      }),
    )
  })

  it.each([
    ['quotes', '"access_token":"'],
    ['names', 'password password='],
    ['URLs', 'https://a:b'],
    ['tokens', 'eyJ.'],
    ['digits', '1234567890:'],
    ['letters', 'aB3'],
    ['spaces', 'api_key       '],
  ])('takes a moment only for 64 KiB of %s', (_, piece) => {
    const text = piece.repeat(Math.ceil(65_536 / piece.length))
    const start = performance.now()
    redact(text)
    expect(performance.now() - start).toBeLessThan(1_000)
  })
})
