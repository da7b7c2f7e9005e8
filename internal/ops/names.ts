import { suggest } from '../config/config.ts'
import {
  type Dialect,
  dialectOf,
  type Provider,
  providers,
  type Shape,
  type Spoken,
  shapes,
  shapesOf,
} from '../dialect/dialect.ts'
import { Refusal } from '../pool/pool.ts'
import { looksLikeSecret } from './secret-like.ts'

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/
/** Paths of our own, and versions: a client whose base URL lacks the pool asks for `/v1/…`. */
const reservedPools = /^(healthz|readyz|livez|metrics|admin|v\d+(alpha|beta)?\d*)$/

/** `a`, `b` and so on as one readable list. */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}

/** Refuses a new name that a URL, a shell or a comma-separated list could misread. */
export function checkName(kind: 'pool' | 'credential' | 'key' | 'job', name: string): void {
  // Never echoed: names stand in metrics, notices and the audit log, and whoever typed it knows what it was.
  if (looksLikeSecret(name))
    throw new Refusal(
      'invalid',
      `what was given as the name of a ${kind} looks like a secret`,
      'nothing was kept of it here, but if you typed it in a shell it is in its history now; a name is a word such as work',
    )
  if (!namePattern.test(name))
    throw new Refusal(
      'invalid',
      `${JSON.stringify(name)} cannot be the name of a ${kind}`,
      'a name has 1 to 63 letters, digits, dots, underscores and hyphens, and begins with a letter or digit',
    )
  if (kind === 'pool' && reservedPools.test(name))
    throw new Refusal('invalid', `${name} is reserved and cannot be the name of a pool`)
}

/** The refusal for a name that does not exist; names the nearest one, or what there is. */
export function missing(kind: string, name: string, existing: readonly string[]): Refusal {
  const near = suggest(name, existing)
  if (near !== null) return new Refusal('not-found', `no ${kind} named ${name}; did you mean ${near}?`)
  const few = existing.length > 0 && existing.length <= 12
  return new Refusal(
    'not-found',
    `no ${kind} named ${name}`,
    existing.length === 0
      ? `there is no ${kind} yet`
      : few
        ? `there ${existing.length === 1 ? 'is' : 'are'} ${listed(existing)}`
        : null,
  )
}

/** The word of `allowed` that was given; refuses any other with the nearest one. */
export function oneOf<T extends string>(what: string, word: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === word)
  if (found !== undefined) return found
  const near = suggest(word, allowed)
  throw new Refusal(
    'invalid',
    `${JSON.stringify(word)} is not a ${what}${near === null ? '' : `; did you mean ${near}?`}`,
    // A long list hides the word that was meant.
    near !== null && allowed.length > 12 ? null : `one of ${allowed.join(', ')}`,
  )
}

/** The provider of that name; refuses any other with the nearest one. */
export function providerNamed(word: string): Provider {
  return oneOf('provider', word, providers)
}

/** The shape of that name, if the provider offers it; null when none is named. */
export function shapeNamed(provider: Provider, word: string | undefined): Shape | null {
  if (word === undefined) return null
  const shape = oneOf('shape', word, shapes)
  const offered = shapesOf(provider)
  if (offered.includes(shape)) return shape
  throw new Refusal('invalid', `${provider} has no API of the shape ${shape}`, `it has ${listed(offered)}`)
}

/** The dialect that a pool or a credential speaks; refuses names that a newer version may have stored. */
export function dialectFor({ provider, shape }: Spoken): Dialect {
  const named = providerNamed(provider)
  return dialectOf(named, shapeNamed(named, shape))
}
