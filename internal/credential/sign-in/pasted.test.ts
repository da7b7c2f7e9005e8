import { describe, expect, test } from 'vitest'
import { Refusal } from '../../pool/pool.ts'
import { pasted } from './pasted.ts'

const state = 'state-0123456789'

describe('what a person pastes at a login', () => {
  test.each([
    ['the whole address', `http://localhost:1455/auth/callback?code=abc&state=${state}`],
    ['with blanks around it', `  http://localhost:1455/auth/callback?code=abc&state=${state}\n`],
  ])('is taken: %s', (_name, text) => {
    expect(pasted(text, state).get('code')).toBe('abc')
  })

  test('is taken: the code as a page shows it', () => {
    expect(pasted(`abc-0123456789#${state}`, state).get('code')).toBe('abc-0123456789')
  })

  test('is taken: the address that says that the person declined', () => {
    expect(pasted(`http://localhost/cb?error=access_denied&state=${state}`, state).get('error')).toBe('access_denied')
  })

  test.each([
    ['a key', 'sk-live-0123456789', 'not the address'],
    ['a word', 'hello', 'not the address'],
    ['the address of the login itself', `https://auth.example/authorize?client_id=x&state=${state}`, 'not the address'],
    ['the address of another login', 'http://localhost/cb?code=abc&state=other', 'another login'],
    ['a code of another login', 'abc-0123456789#other-0123456789', 'another login'],
  ])('is refused, sent nowhere and not repeated: %s', (_name, text, why) => {
    const run = () => pasted(text, state)
    expect(run).toThrow(Refusal)
    expect(run).toThrow(why)
    expect(run).not.toThrow(text)
  })
})
