import { expect, test } from 'vitest'
import { causeOf } from './causes.ts'

test.each([
  ['SQLITE_READONLY_DIRECTORY', 'its directory may not be written by this user, SQLITE_READONLY_DIRECTORY'],
  ['SQLITE_IOERR_FSYNC', 'its disk fails to read or to write, SQLITE_IOERR_FSYNC'],
  ['EACCES', 'permission denied, EACCES'],
  ['EODD', 'EODD'],
])('%s is said in words', (code, words) => {
  expect(causeOf(code)).toBe(words)
})
