import { homedir } from 'node:os'

/** A path as people write it. */
export function shown(path: string): string {
  const home = homedir()
  return path === home || path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path
}
