import { kinds } from '../schema/kind.ts'
import { settings } from '../schema/schema.ts'
import type { Override } from './environment.ts'

interface Section {
  readonly [key: string]: unknown
}

function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function own(section: Section, key: string): unknown {
  return Object.hasOwn(section, key) ? section[key] : undefined
}

/** `over` laid over `base`: an empty section leaves the base, and what has the wrong shape stays, to be reported. */
export function layer(base: unknown, over: unknown): unknown {
  if (over === undefined || (over === null && isSection(base))) return base
  if (!isSection(base) || !isSection(over)) return over
  const keys = new Set([...Object.keys(base), ...Object.keys(over)])
  return Object.fromEntries([...keys].map((key) => [key, layer(own(base, key), own(over, key))]))
}

/** The layered values with the texts of overrides read into them; below a section of the wrong shape nothing is put. */
export function withOverrides(layered: unknown, overrides: Iterable<Override>): unknown {
  let result = layered
  for (const { key, text } of overrides) {
    const setting = settings.get(key)
    const kind = setting && kinds.get(setting)
    if (kind) result = put(result, key.split('.'), kind.read(text))
  }
  return result
}

function put(at: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) return value
  return isSection(at) ? { ...at, [key]: put(own(at, key), rest, value) } : at
}

/** What stands at a dotted name, with positions of list items as numbers; undefined when nothing does. */
export function valueAt(values: unknown, key: string): unknown {
  let at = values
  for (const part of key.split('.')) {
    if (Array.isArray(at)) at = at[Number(part)]
    else if (isSection(at)) at = own(at, part)
    else return undefined
  }
  return at
}
