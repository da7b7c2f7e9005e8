import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'

/** O_WRONLY and O_RDWR, in the octal flags of `/proc/PID/fdinfo` (proc_pid_fdinfo(5)). */
const writing = 0o3

/**
 * Which files of these names on this device some process has open for writing, by inode. `isWhole` is false when there are
 * processes that may not be looked into. Only descriptors whose name is asked for are followed, so that a mount that hangs
 * elsewhere does not matter. Blocks.
 */
export function openForWriting(
  names: ReadonlySet<string>,
  device: number,
): { inodes: ReadonlySet<number>; isWhole: boolean } {
  const inodes = new Set<number>()
  let isWhole = true
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        const inode = inodeWritten(pid, fd, names, device)
        if (inode !== null) inodes.add(inode)
      }
    } catch (error) {
      // Gone meanwhile is fine.
      if (error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM'))
        isWhole = false
    }
  }
  return { inodes, isWhole }
}

function inodeWritten(pid: string, fd: string, names: ReadonlySet<string>, device: number): number | null {
  try {
    const link = readlinkSync(`/proc/${pid}/fd/${fd}`)
    if (!link.startsWith('/') || !names.has(link.slice(link.lastIndexOf('/') + 1))) return null
    const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1]
    if (flags === undefined || (Number.parseInt(flags, 8) & writing) === 0) return null
    const found = statSync(`/proc/${pid}/fd/${fd}`)
    return found.dev === device ? found.ino : null
  } catch {
    return null
  }
}
