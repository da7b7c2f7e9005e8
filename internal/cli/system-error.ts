/** What the operating system said of a path, by its code. */
const ofPath: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be used by this user',
  EPERM: 'may not be changed by this user',
  EROFS: 'is on a disk that is mounted read-only',
  ENOTDIR: 'leads through a file, which is no directory',
  EISDIR: 'is a directory, not a file',
  EEXIST: 'exists already',
  ENOTEMPTY: 'is not empty',
  ELOOP: 'is a symbolic link that leads to itself',
  ENAMETOOLONG: 'is too long for a name',
  EBUSY: 'is in use',
  EIO: 'cannot be read or written: its disk fails',
  ENOTCONN: 'is on a mount that does not answer',
  ESTALE: 'is on a mount that has lost its server',
}

const full = new Set(['ENOSPC', 'EDQUOT'])

/** What an error of the system or of OpenSSL means, in words; null for any other error. */
export function systemErrorText(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null
  const { code } = error
  if (/^ERR_OSSL_/.test(code))
    return 'the certificate or its key cannot be used: are server.tls.certFile and server.tls.keyFile PEM files, and not swapped?'
  if (!('path' in error) || typeof error.path !== 'string') return null
  const { path } = error
  if (full.has(code)) return `the disk of ${path} is full`
  if ('syscall' in error && error.syscall === 'mkdir') {
    if (code === 'EEXIST') return `${path} is a file, and a directory is needed there`
    if (code === 'ENOENT') return `${path} cannot be made: what is above it does not exist or cannot be written`
  }
  const words = ofPath[code]
  return words === undefined ? null : `${path} ${words}`
}
