import type { Problem } from '../problems/problem.ts'
import { suggest } from '../problems/suggest.ts'
import { settings } from '../schema/schema.ts'

/** A value for one setting from outside the file. */
export interface Override {
  /** The dotted name of the setting. */
  readonly key: string
  readonly text: string
  /** The environment variable or flag, for messages. */
  readonly from: string
}

export type Environment = Readonly<Record<string, string | undefined>>

const prefix = 'SPILLWAY_'

/** The environment twin of a setting: `oauth.codex.tokenUrl` → `SPILLWAY_OAUTH_CODEX_TOKEN_URL`. */
export function environmentName(key: string): string {
  const snake = key.replace(/\./g, '_').replace(/([a-z0-9])([A-Z])/g, '$1_$2')
  return prefix + snake.toUpperCase()
}

/** The settings that the environment gives; an empty variable counts as unset. */
export function fromEnvironment(env: Environment): readonly Override[] {
  return [...settings.keys()].flatMap((key) => {
    const text = env[environmentName(key)]
    return text === undefined || text === '' ? [] : [{ key, text, from: environmentName(key) }]
  })
}

/** A warning for each variable of our prefix that is no setting, except `others`, which mean something elsewhere. */
export function strangers(env: Environment, others: ReadonlySet<string>): readonly Problem[] {
  const twins = [...settings.keys()].map(environmentName)
  const known = new Set(twins)
  return Object.keys(env)
    .filter((name) => name.startsWith(prefix) && !known.has(name) && !others.has(name) && !isServiceLink(name))
    .map((name) => {
      const near = referenceTo(name, twins) ?? suggest(name, twins)
      return {
        file: name,
        line: null,
        key: '',
        message: 'no such setting, ignored',
        hint: near && `did you mean ${near}?`,
      }
    })
}

/** Kubernetes adds such variables for a service that is called spillway. */
function isServiceLink(name: string): boolean {
  return /^SPILLWAY_(PORT|SERVICE)_?/.test(name)
}

/** The twin that names a file or a variable instead of the secret itself. */
function referenceTo(name: string, twins: readonly string[]): string | null {
  return twins.find((twin) => twin === `${name}_FILE` || twin === `${name}_ENV`) ?? null
}
