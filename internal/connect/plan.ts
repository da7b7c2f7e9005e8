import { type Change, dotenvValue, editDotenv, editJson, editToml, jsonAt, tomlAt } from '../edit/edit.ts'

/** Where a client is to go, and with which key. */
export interface Pointer {
  readonly pool: string
  readonly provider: string
  /** The shape of API that the pool speaks. */
  readonly shape: string
  /** What clients of this shape take as their base URL. */
  readonly baseUrl: string
  /** The client key, bare. */
  readonly key: string
  /** The command that prints it, for clients that can ask one. */
  readonly keyCommand: readonly [string, ...string[]]
}

/** The surroundings of the person whose clients they are. */
export interface World {
  readonly home: string
  readonly env: Readonly<Record<string, string | undefined>>
  exists(path: string): boolean
}

export type Format = 'json' | 'toml' | 'dotenv'

/** What a client's file has to hold. */
export interface FilePlan {
  readonly path: string
  readonly format: Format
  readonly changes: readonly Change[]
}

interface Editor {
  edit(text: string, changes: readonly Change[]): string
  /** The value at a path; undefined where there is none. */
  at(text: string, path: readonly string[]): unknown
}

/** How each format is changed and read. */
export const editors: Readonly<Record<Format, Editor>> = {
  json: { edit: editJson, at: jsonAt },
  toml: { edit: editToml, at: tomlAt },
  dotenv: { edit: editDotenv, at: (text, [name = '']) => dotenvValue(text, name) },
}
