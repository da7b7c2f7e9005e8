import { expect, test } from 'vitest'
import { systemErrorText } from './system-error.ts'

const system = (code: string, syscall = 'open') =>
  Object.assign(new Error(`${code}: raw text, ${syscall} '/x/y'`), { code, syscall, path: '/x/y' })

test.each([
  ['a missing file', system('ENOENT'), '/x/y does not exist'],
  ['a file of somebody else', system('EACCES'), '/x/y may not be used by this user'],
  ['a read-only disk', system('EROFS', 'mkdir'), '/x/y is on a disk that is mounted read-only'],
  ['a full disk', system('ENOSPC', 'write'), 'the disk of /x/y is full'],
  ['a file where a directory is needed', system('EEXIST', 'mkdir'), '/x/y is a file, and a directory is needed there'],
  [
    'a directory below nothing',
    system('ENOENT', 'mkdir'),
    '/x/y cannot be made: what is above it does not exist or cannot be written',
  ],
  ['a directory for a file', system('EISDIR', 'read'), '/x/y is a directory, not a file'],
  [
    'swapped PEM files',
    Object.assign(new Error('error:0480006C:PEM routines::no start line'), { code: 'ERR_OSSL_PEM_NO_START_LINE' }),
    'the certificate or its key cannot be used: are server.tls.certFile and server.tls.keyFile PEM files, and not swapped?',
  ],
])('is said in words: %s', (_name, error, text) => {
  expect(systemErrorText(error)).toBe(text)
})

test.each([
  ['an error without a code', new Error('no')],
  ['a code without words', system('EWEIRD')],
  ['a code without a path', Object.assign(new Error('no'), { code: 'ENOENT' })],
  ['no error', 'ENOENT'],
])('is left as it is: %s', (_name, error) => {
  expect(systemErrorText(error)).toBeNull()
})
