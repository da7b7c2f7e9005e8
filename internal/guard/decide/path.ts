/** What a look at a path found: `stale` is ENOTCONN, `hanging` no answer in time. */
export type PathState = 'readable' | 'stale' | 'hanging' | 'missing' | 'failing'

/** The state that the system's error stands for; `EHUNG`: nobody answered. */
export function stateOf(code: string | null): Exclude<PathState, 'readable'> {
  switch (code) {
    case 'ENOTCONN':
      return 'stale'
    case 'EHUNG':
      return 'hanging'
    case 'ENOENT':
    case 'ENOTDIR':
      return 'missing'
    default:
      return 'failing'
  }
}

/** Why a directory cannot be looked at, as a state or as the system's code. */
export function problemOf(code: string | null): string {
  const state = stateOf(code)
  return state === 'failing' && code !== null ? code : state
}

const order: readonly PathState[] = ['readable', 'missing', 'failing', 'stale', 'hanging']

/** The worst of several paths, and which it is; null for none. */
export function worst<P extends { readonly state: PathState }>(paths: readonly P[]): P | null {
  return paths.reduce<P | null>(
    (one, other) => (one === null || order.indexOf(other.state) > order.indexOf(one.state) ? other : one),
    null,
  )
}

/** Whether `path` is strictly below `root`; both are absolute and without dot segments. */
export function isUnder(path: string, root: string): boolean {
  return path !== root && path.startsWith(root === '/' ? root : `${root}/`)
}
