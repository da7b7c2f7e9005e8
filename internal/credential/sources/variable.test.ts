import { describe, expect, test } from 'vitest'
import { keysIn, readVariable } from './variable.ts'

describe('the keys in a variable', () => {
  test.each([
    ['one', 'sk-a', ['sk-a']],
    ['commas', 'sk-a,sk-b', ['sk-a', 'sk-b']],
    ['commas and blanks', ' sk-a , sk-b ,', ['sk-a', 'sk-b']],
    ['quotes of an env file around all', '"sk-a,sk-b"', ['sk-a', 'sk-b']],
    ['single quotes', "'sk-a'", ['sk-a']],
    ['quotes around each', '"sk-a","sk-b"', ['sk-a', 'sk-b']],
    ['quotes around each and blanks', `'sk-a', "sk-b"`, ['sk-a', 'sk-b']],
    ['a line each', 'sk-a\nsk-b\n', ['sk-a', 'sk-b']],
    ['a line each as Windows ends them', 'sk-a\r\nsk-b\r\n', ['sk-a', 'sk-b']],
    ['commas at the ends of lines', 'sk-a,\n  sk-b', ['sk-a', 'sk-b']],
    ['nothing', '', []],
    ['blanks and commas alone', ' , ,', []],
    ['empty quotes', '""', []],
  ])('%s', (_name, value, keys) => {
    expect(keysIn(value, 'KEYS')).toEqual(keys)
  })

  test.each([
    ['a blank inside', 'sk-a sk-b', /^the environment variable KEYS holds a blank: .*comma/],
    ['a blank inside the second', 'sk-a,Bearer sk-b', /^key 2 of the environment variable KEYS holds a blank/],
    ['a quote at one end', '"sk-a,sk-b', /^key 1 of the environment variable KEYS has a quote/],
    ['an assignment', 'OPENAI_API_KEY=sk-a', /KEYS begins with OPENAI_API_KEY=: .*alone/],
    ['what no header carries', 'sk-ä', /characters that no key has/],
  ])('are not read with %s, and the error says where', (_name, value, why) => {
    expect(() => keysIn(value, 'KEYS')).toThrow(why)
    expect(() => keysIn(value, 'KEYS')).not.toThrow(/sk-/)
  })
})

describe('a reference', () => {
  test.each([
    ['KEY', 'sk-a'],
    ['KEY#1', 'sk-a'],
    ['KEYS', 'sk-a'],
    ['KEYS#2', 'sk-b'],
  ])('%s is %s', (reference, key) => {
    expect(readVariable({ KEY: 'sk-a', KEYS: 'sk-a,sk-b' }, reference)).toBe(key)
  })

  test.each([
    ['NONE', 'the environment variable NONE is not set'],
    ['EMPTY', 'the environment variable EMPTY is not set'],
    ['KEY#2', 'the environment variable KEY has no value number 2: it holds one key'],
    ['KEYS#3', 'the environment variable KEYS has no value number 3: it holds 2 keys'],
  ])('%s is refused', (reference, why) => {
    expect(() => readVariable({ KEY: 'sk-a', KEYS: 'sk-a,sk-b', EMPTY: ' ' }, reference)).toThrow(why)
  })
})
