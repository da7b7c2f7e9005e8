import type { z } from 'zod'
import { defaults } from '../schema/defaults.ts'
import { keysOf, kindAt, settings } from '../schema/schema.ts'
import { valueAt } from '../values/layers.ts'
import type { Clash } from './clash.ts'
import { suggest } from './suggest.ts'

/** Turns what zod found into sentences about settings: one for each wrong value and each unknown key. */
export function clashesOf(error: z.ZodError, values: unknown): readonly Clash[] {
  const found = new Map<string, Clash>()
  for (const issue of error.issues) {
    const path = issue.path.map(String)
    const at = path.join('.')
    const clashes =
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => unknownKey(at, key))
        : issue.code === 'invalid_key'
          ? [wrongName(at, path)]
          : [wrongValue(path, valueAt(values, at))]
    for (const clash of clashes) found.set(clash.key, clash)
  }
  return [...found.values()]
}

function wrongName(key: string, path: readonly string[]): Clash {
  const message = `${show(path.at(-1))} cannot be a name`
  return { key, message, hint: 'letters, digits, dots, underscores and hyphens, 63 at most, a letter or digit first' }
}

function wrongValue(path: readonly string[], value: unknown): Clash {
  const key = path.join('.')
  const whole = kindAt(key)
  const kind = whole ?? nearestKind(path.slice(0, -1))
  if (!kind || keysOf(key)) {
    const message = key === '' ? 'must consist of sections' : 'must be a section'
    return { key, message, hint: `with the keys ${keysOf(key)?.join(', ')}` }
  }
  const allowed = whole ? kind.allowed : kind.item
  if (value === undefined) return { key, message: `is missing; it ${allowed}`, hint: null }
  if (value === null) {
    const usual = valueAt(defaults, key)
    const hint = whole && usual !== undefined ? `leave the key out for its default, ${show(usual)}` : null
    return { key, message: `has no value; it ${allowed}`, hint }
  }
  const near = typeof value === 'string' ? suggest(value, kind.words) : null
  const shown = kind.quiet ? '' : `, not ${show(value)}`
  return { key, message: allowed + shown, hint: near && `did you mean ${near}?` }
}

/** The kind of the list, or of the list of lists, that the path leads into. */
function nearestKind(path: readonly string[]) {
  return kindAt(path.join('.')) ?? kindAt(path.slice(0, -1).join('.'))
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 40 ? `${text.slice(0, 39)}…` : text
}

function unknownKey(section: string, key: string): Clash {
  const siblings = keysOf(section) ?? []
  const name = section === '' ? key : `${section}.${key}`
  const references = referencesFor(key, siblings)
  if (references) {
    return { key: name, message: 'secrets are not written here', hint: `use ${references.join(' or ')}` }
  }
  const near = suggest(key, siblings)
  if (near) return { key: name, message: 'unknown key', hint: `did you mean ${near}?` }
  if (/token|secret|password|api_?key/i.test(key)) {
    return { key: name, message: 'secrets are not written here', hint: 'spillway cred add keeps them sealed' }
  }
  const elsewhere = [...settings.keys()].find((setting) => setting.endsWith(`.${key}`))
  const hint = elsewhere ? `did you mean ${elsewhere}?` : `there are ${siblings.join(', ')}`
  return { key: name, message: 'unknown key', hint }
}

/** The siblings that refer to the secret which `key` would hold (`botToken` → `botTokenFile`, `botTokenEnv`). */
function referencesFor(key: string, siblings: readonly string[]): readonly string[] | null {
  const exact = siblings.filter((sibling) => sibling === `${key}File` || sibling === `${key}Env`)
  if (exact.length > 0) return exact
  const loose = siblings.filter((sibling) => /(token|secret)(File|Env)$/i.test(sibling))
  return /^(token|secret|password|key)$/i.test(key) && loose.length > 0 ? loose : null
}
