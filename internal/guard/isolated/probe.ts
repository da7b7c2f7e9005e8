import { closeSync, constants, fstatSync, opendirSync, openSync, readSync } from 'node:fs'

/** Reads a little of what stands at the path: "mounted" is not "readable". Throws the system's error. Blocks. */
export function probe(path: string): true {
  // O_NONBLOCK: opening a FIFO that nobody writes to must not wait.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const found = fstatSync(fd)
    if (found.isFile()) readSync(fd, Buffer.alloc(1), 0, 1, 0)
    if (!found.isDirectory()) return true
  } finally {
    closeSync(fd)
  }
  const folder = opendirSync(path)
  try {
    folder.readSync()
  } finally {
    folder.closeSync()
  }
  return true
}
