import { readFileSync } from 'node:fs'

/** A line of `/proc/self/mountinfo`. */
export interface Mount {
  readonly mountpoint: string
  readonly type: string
  readonly source: string
}

/** What is mounted, the uppermost last (proc_pid_mountinfo(5)); empty where the system does not say. Blocks. */
export function mounts(): readonly Mount[] {
  try {
    return parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'))
  } catch {
    return []
  }
}

/** The mounts of the text of a mountinfo file. */
export function parseMounts(text: string): readonly Mount[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      const fields = line.split(' ')
      const dash = fields.indexOf('-', 6)
      const [mountpoint, type, source] = [fields[4], fields[dash + 1], fields[dash + 2]]
      if (dash < 0 || mountpoint === undefined || type === undefined) return []
      return [{ mountpoint: decoded(mountpoint), type, source: decoded(source ?? '') }]
    })
}

/** Blanks, tabs, line ends and backslashes stand as octal numbers. */
function decoded(text: string): string {
  return text.replace(/\\(\d{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8)))
}
