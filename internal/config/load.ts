import { readFileSync } from 'node:fs'
import { clashes, oddities } from './problems/checks.ts'
import type { Clash } from './problems/clash.ts'
import type { Problem } from './problems/problem.ts'
import { inspectReferences, type OpenFile } from './problems/references.ts'
import { clashesOf } from './problems/validate.ts'
import { defaults } from './schema/defaults.ts'
import { type Config, kindAt, schema, settings } from './schema/schema.ts'
import { type Environment, fromEnvironment, type Override, strangers } from './values/environment.ts'
import { layer, valueAt, withOverrides } from './values/layers.ts'
import { absolute, guardKey, pathBase, withAbsolutePaths } from './values/paths.ts'
import { readSource, type Source } from './values/source.ts'

export interface LoadOptions {
  readonly file: string
  /** The operator named the file: it must exist. */
  readonly explicit: boolean
  readonly env: Environment
  /** Where relative paths begin that do not come from the file. */
  readonly dataDir: string
  /** Values that win over the environment, such as those of `--listen`. */
  readonly flags?: readonly Override[]
  /** Variables with our prefix that are read elsewhere; `SPILLWAY_DATA` always is. */
  readonly otherVariables?: readonly string[]
}

export type Loaded =
  | {
      readonly ok: true
      readonly config: Config
      /** The file that was read; null when there was none and the defaults hold. */
      readonly file: string | null
      readonly warnings: readonly Problem[]
      /** Every setting with its value and where that was written. */
      settings(): readonly Setting[]
      /** Opens the files that the settings name, as a start would: what stops one, and what is open to others. */
      references(): { readonly problems: readonly Problem[]; readonly open: readonly (OpenFile & { place: Problem })[] }
    }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** A setting in force, as an operator would write it. */
export interface Setting {
  readonly key: string
  /** As it was written; the path of a file is absolute. */
  readonly value: unknown
  readonly origin: 'default' | 'file' | 'environment' | 'flag'
  /** `spillway.yaml:12`, `SPILLWAY_SERVER_LISTEN` or `--listen`; null for a default. */
  readonly place: string | null
}

/** The text of the file, null when there is none, or why it cannot be read. */
export type FileText = { readonly text: string | null } | { readonly error: string }

const causes: Readonly<Record<string, string>> = { EACCES: 'permission denied', EISDIR: 'it is a directory' }

/**
 * Reads and checks the configuration: flags over environment over file over defaults. It blocks while it reads the file, so
 * a running daemon has the text read elsewhere and uses `parseConfig`.
 */
export function loadConfig(options: LoadOptions): Loaded {
  return parseConfig(readText(options.file), options)
}

/** Reads a file with one synchronous call. */
function readText(file: string): FileText {
  try {
    return { text: readFileSync(file, 'utf8') }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return { text: null }
    return { error: code ?? message }
  }
}

/** Checks a configuration whose file has been read. */
export function parseConfig(read: FileText, options: LoadOptions): Loaded {
  if ('error' in read) return refuse(options.file, `cannot be read: ${causes[read.error] ?? read.error}`)
  if (read.text === null && options.explicit) return refuse(options.file, 'does not exist')
  const source = readSource(read.text ?? '', options.file)
  if (source.problems.length > 0 && source.value === undefined) return { ok: false, problems: source.problems }

  const given = [...fromEnvironment(options.env), ...(options.flags ?? [])]
  const overrides = new Map(given.map((override) => [override.key, override]))
  const merged = withOverrides(layer(defaults, source.value ?? null), overrides.values())
  const parsed = schema.safeParse(merged)
  const settled = (key: string) => settings.get(key)?.safeParse(valueAt(merged, key)).data
  const origin = { source, overrides, file: options.file }
  const report = (clash: Clash) => locate(clash, origin)
  const problems = [
    ...source.problems,
    ...(parsed.success ? [] : clashesOf(parsed.error, merged).map(report)),
    ...clashes(settled, (path) => absolute(path, pathBase(guardKey, overrides, options))).map(report),
  ]
  if (!parsed.success || problems.length > 0) return { ok: false, problems }

  const others = new Set([...owned, ...(options.otherVariables ?? []), ...referredTo(parsed.data)])
  const config = withAbsolutePaths(parsed.data, (key) => pathBase(key, overrides, options))
  return {
    ok: true,
    config,
    file: read.text === null ? null : options.file,
    warnings: [...oddities(settled).map(report), ...strangers(options.env, others)],
    references() {
      const found = inspectReferences(config, options.env)
      return {
        problems: found.problems.map(report),
        open: found.open.map((file) => ({ ...file, place: report(openness(file)) })),
      }
    },
    settings: () =>
      [...settings.keys()].map((key) => ({
        key,
        value: valueAt(kindAt(key)?.path ? config : merged, key),
        ...writtenAt(key, origin),
      })),
  }
}

function openness({ key, file, mode }: OpenFile): Clash {
  const message = `${file} is open to other users (mode ${mode.toString(8)})`
  return { key, message, hint: `chmod 600 ${file}` }
}

const owned = ['SPILLWAY_DATA']

function refuse(file: string, message: string): Loaded {
  return { ok: false, problems: [{ file, line: null, key: '', message, hint: null }] }
}

interface Origin {
  readonly source: Source
  readonly overrides: ReadonlyMap<string, Override>
  readonly file: string
}

/** A clash at the place where the operator wrote the value. */
function locate(clash: Clash, { source, overrides, file }: Origin): Problem {
  const { key, message, hint, other } = clash
  const setting = settingOf(key)
  const from = overrides.get(setting) ?? (other === undefined ? undefined : overrides.get(other))
  if (from) return { file: from.from, line: null, key, message, hint }
  return { file, line: source.lineOf(key), key, message, hint }
}

/** Where the value of a setting was written. */
function writtenAt(key: string, { source, overrides, file }: Origin): Pick<Setting, 'origin' | 'place'> {
  const from = overrides.get(key)?.from
  if (from !== undefined) return { origin: from.startsWith('--') ? 'flag' : 'environment', place: from }
  if (valueAt(source.value, key) === undefined) return { origin: 'default', place: null }
  return { origin: 'file', place: `${file}:${source.lineOf(key)}` }
}

/** The setting that a dotted name is, or lies in. */
function settingOf(key: string): string {
  const parts = key.split('.')
  const names = parts.map((_, index) => parts.slice(0, parts.length - index).join('.'))
  return names.find((name) => settings.has(name)) ?? key
}

function referredTo(config: Config): readonly string[] {
  const { telegram, webhook } = config.notices
  return [telegram.botTokenEnv, webhook.secretEnv].filter((name) => name !== null)
}
