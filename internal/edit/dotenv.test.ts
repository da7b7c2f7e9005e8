import { describe, expect, test } from 'vitest'
import { dotenvValue, editDotenv } from './dotenv.ts'

describe('a dotenv text', () => {
  test.each([
    ['takes a variable where it is empty', '', 'K', 'v', 'K=v\n'],
    ['takes a variable at its end', '# mine\nA=1\n', 'K', 'v', '# mine\nA=1\nK=v\n'],
    ['gets the line end that it lacks', 'A=1', 'K', 'v', 'A=1\nK=v\n'],
    ['keeps the line ends of Windows', 'A=1\r\nK=0\r\nB=2\r\n', 'K', 'v', 'A=1\r\nK=v\r\nB=2\r\n'],
    ['takes a value in place of another', 'A=1\nexport K="old" # c\nB=2\n', 'K', 'v', 'A=1\nK=v\nB=2\n'],
    ['keeps one line of several of a name, the one that counts', 'K=1\nA=1\nK=2\n', 'K', 'v', 'A=1\nK=v\n'],
    ['is not misread inside a value of several lines', 'A="x\nK=no\n"\nB=2\n', 'K', 'v', 'A="x\nK=no\n"\nB=2\nK=v\n'],
    ['leaves what is a comment', '#K=1\n', 'K', 'v', '#K=1\nK=v\n'],
    ['loses a variable with its line', 'A=1\nK=v\nB=2\n', 'K', undefined, 'A=1\nB=2\n'],
    ['loses nothing that is not there', 'A=1\n', 'K', undefined, 'A=1\n'],
    ['takes away a value of several lines', 'K="x\ny"\nB=2\n', 'K', undefined, 'B=2\n'],
  ])('%s', (_name, text, name, value, after) => {
    expect(editDotenv(text, [{ path: [name], value }])).toBe(after)
  })

  test.each([
    ['plain', 'K= v \n', 'v'],
    ['quoted', 'K="v w" # c\n', 'v w'],
    ['given twice', 'K=1\nK=2\n', '2'],
    ['empty', 'K=\nA=1\n', ''],
    ['missing', 'KK=1\n', undefined],
  ])('shows a value that is %s', (_name, text, value) => {
    expect(dotenvValue(text, 'K')).toBe(value)
  })
})
