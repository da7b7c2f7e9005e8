/** Why a database or its file cannot be used, by the codes of SQLite and of the system; the beginning of a code decides. */
const causes: readonly (readonly [code: string, words: string])[] = [
  ['SQLITE_READONLY_DIRECTORY', 'its directory may not be written by this user'],
  ['SQLITE_READONLY_DBMOVED', 'it was moved or removed while it was open'],
  ['SQLITE_READONLY', 'it may not be written by this user, or its disk is mounted read-only'],
  ['SQLITE_CANTOPEN', 'it cannot be opened or made'],
  ['SQLITE_IOERR', 'its disk fails to read or to write'],
  ['SQLITE_PROTOCOL', 'its file system does not keep locks'],
  ['SQLITE_NOMEM', 'memory is short'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EROFS', 'its disk is mounted read-only'],
  ['EIO', 'its disk fails to read or to write'],
  ['ENOENT', 'it does not exist'],
  ['ENOTDIR', 'a part of its path is a file'],
  ['ENOTCONN', 'its mount does not answer'],
  ['ESTALE', 'its mount has lost its server'],
  ['EMFILE', 'too many files are open'],
  ['ENFILE', 'too many files are open'],
]

/** The cause in words, with its code for those who look further: `permission denied, EACCES`. */
export function causeOf(code: string): string {
  const found = causes.find(([begin]) => code === begin || code.startsWith(`${begin}_`))
  return found === undefined ? code : `${found[1]}, ${code}`
}
