import { z } from 'zod'

/** What is known of a setting beside its zod schema. */
export interface Kind {
  /** Completes the sentence "server.listen … ". */
  readonly allowed: string
  /** The same for one item of a list. */
  readonly item: string
  /** The value that an environment variable's text stands for, as the file would give it. */
  readonly read: (text: string) => unknown
  /** The words of an enumeration, for the hint. */
  readonly words: readonly string[]
  /** A wrong value is not repeated in the message, because it might be a secret that landed in the wrong place. */
  readonly quiet: boolean
  /** A file name, which is made absolute when the configuration is resolved. */
  readonly path: boolean
}

/** The Kind of each setting of the schema. */
export const kinds = z.registry<Kind>()

export const asText = (text: string): unknown => text
export const asNumber = (text: string): unknown => (/^[-+]?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text)
export const asBoolean = (text: string): unknown => ({ true: true, false: false })[text.trim().toLowerCase()] ?? text

/** The schema, described and registered with what is known of it. */
export function kind<S extends z.ZodType>(schema: S, about: string, known: Partial<Kind> & { allowed: string }): S {
  const described = schema.meta({ description: about })
  kinds.add(described, { item: '', read: asText, words: [], quiet: false, path: false, ...known })
  return described
}
