import { z } from 'zod'
import { isNetwork, parseAddress } from './address.ts'
import { asBoolean, asNumber, asText, kind, kinds } from './kind.ts'
import { durationPattern, parseDuration, parseSize, sizePattern } from './units.ts'

/** A range, each end in the form that an operator would write. */
interface Range {
  readonly min: string
  readonly max: string
}

function measure(
  about: string,
  allowed: string,
  range: Range,
  unit: { parse: (text: string | number) => number | null; pattern: RegExp },
) {
  const min = unit.parse(range.min) ?? 0
  const max = unit.parse(range.max) ?? Number.MAX_SAFE_INTEGER
  const schema = z.union([z.string().regex(unit.pattern), z.number().min(0)]).transform((given, context) => {
    const parsed = unit.parse(given)
    if (parsed !== null && parsed >= min && parsed <= max) return parsed
    context.addIssue({ code: 'custom', message: 'out of range' })
    return z.NEVER
  })
  return kind(schema, about, { allowed: `${allowed}, from ${range.min} to ${range.max}`, read: asNumber })
}

/** A duration in text or milliseconds, resolved to milliseconds. */
export function duration(about: string, range: Range) {
  const unit = { parse: parseDuration, pattern: durationPattern }
  return measure(about, 'must be a duration such as 500ms, 30s or 1h30m', range, unit)
}

/** A size, or `auto`. */
export function sizeOrAuto(about: string, range: Range) {
  const base = size(about, range)
  const { allowed } = kinds.get(base) ?? { allowed: '' }
  return kind(z.union([z.literal('auto'), base]), about, { allowed: `${allowed}, or auto`, read: asNumber })
}

/** A size in text or bytes, resolved to bytes. */
export function size(about: string, range: Range) {
  return measure(about, 'must be a size such as 64KiB or 32MiB', range, { parse: parseSize, pattern: sizePattern })
}

/** A number, whole unless `fraction`. */
export function number(about: string, range: { min: number; max: number; fraction?: boolean }) {
  const base = range.fraction ? z.number() : z.int()
  const allowed = `must be a ${range.fraction ? '' : 'whole '}number from ${range.min} to ${range.max}`
  return kind(base.min(range.min).max(range.max), about, { allowed, read: asNumber })
}

/** true or false. */
export function toggle(about: string) {
  return kind(z.boolean(), about, { allowed: 'must be true or false', read: asBoolean })
}

/** One of a few words. */
export function choice<const W extends readonly [string, ...string[]]>(about: string, words: W) {
  return kind(z.enum(words), about, { allowed: `must be one of ${words.join(', ')}`, words })
}

/** HOST:PORT, resolved to an Address. */
export function address(about: string) {
  const schema = z.string().transform((text, context) => {
    const parsed = parseAddress(text)
    if (parsed) return parsed
    context.addIssue({ code: 'custom', message: 'not an address' })
    return z.NEVER
  })
  return kind(schema, about, { allowed: 'must be HOST:PORT such as 127.0.0.1:8460 (0.0.0.0 for all interfaces)' })
}

const reference = z
  .string()
  .min(1)
  .refine((text) => !looksLikeSecret(text))

/** The path of a file, which is not read here. */
export function file(about: string) {
  return kind(reference, about, { allowed: 'must be the path of a file (not its content)', quiet: true, path: true })
}

/** The name of an environment variable, which is not read here. */
export function variable(about: string) {
  const allowed = 'must be the name of an environment variable (not its value)'
  return kind(reference.regex(/^[A-Za-z_][A-Za-z0-9_]*$/), about, { allowed, quiet: true })
}

/** An identifier that is not a secret. */
export function identifier(about: string) {
  return kind(reference.regex(/^\S+$/), about, {
    allowed: 'must be one word (a public identifier, not a secret)',
    quiet: true,
  })
}

/** An http or https URL without a user or password in it. */
export function url(about: string) {
  const schema = z.string().refine((text) => {
    if (!URL.canParse(text)) return false
    const parsed = new URL(text)
    return /^https?:$/.test(parsed.protocol) && !parsed.username && !parsed.password
  })
  return kind(schema, about, { allowed: 'must be an http or https URL without a user and password', quiet: true })
}

/** A time zone by its IANA name. */
export function timeZone(about: string) {
  const schema = z.string().refine((name) => {
    try {
      return new Intl.DateTimeFormat('en', { timeZone: name }) !== null
    } catch {
      return false
    }
  })
  return kind(schema, about, { allowed: 'must be a time zone such as Europe/Berlin or UTC' })
}

/** Where the database is. */
export function storeUrl(about: string) {
  const schema = z.string().refine((text) => /^sqlite:[^?#]+$/.test(text) || isPostgresUrl(text))
  const allowed =
    'must be sqlite:FILE, or postgres://USER@HOST:PORT/DATABASE without a password (that stands in store.passwordFile) and with no parameter but sslmode (disable, require, verify-ca, verify-full) and host'
  return kind(schema, about, { allowed, quiet: true })
}

function isPostgresUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, password, hostname, pathname, searchParams, hash } = new URL(text)
  const isPlain = /^postgres(ql)?:$/.test(protocol) && password === '' && hash === '' && pathname.length > 1
  const mode = searchParams.get('sslmode') ?? 'disable'
  const known = [...searchParams.keys()].every((name) => name === 'sslmode' || name === 'host')
  const isPlaced = hostname !== '' || searchParams.get('host') !== null
  return isPlain && isPlaced && known && ['disable', 'require', 'verify-ca', 'verify-full'].includes(mode)
}

/** A list of IP addresses and networks. */
export function networks(about: string) {
  const schema = z.array(z.string().refine(isNetwork))
  return kind(schema, about, {
    allowed: 'must be a list of networks',
    item: 'must be an address or a network such as 10.0.0.0/8',
    read: list(asText),
  })
}

/** A list of whole numbers, which may be negative. */
export function integers(about: string) {
  return kind(z.array(z.int()), about, {
    allowed: 'must be a list of whole numbers',
    item: 'must be a whole number',
    read: list(asNumber),
  })
}

/** The same setting, which may also be null. */
export function orNull<S extends z.ZodType>(schema: S) {
  const base = kinds.get(schema)
  if (!base) throw new TypeError('orNull takes a setting')
  const read = (text: string) => (text.trim() === 'null' ? null : base.read(text))
  return kind(schema.nullable(), schema.description ?? '', { ...base, allowed: `${base.allowed}, or null`, read })
}

/** The same setting inside an entry, where `value` holds when it is left out. */
export function otherwise<S extends z.ZodType>(schema: S, value: z.output<S>) {
  const base = kinds.get(schema)
  if (!base) throw new TypeError('otherwise takes a setting')
  return kind(schema.default(value as never), schema.description ?? '', base)
}

/** A pattern, a shell's glob, for files below a folder. */
export function pattern(about: string) {
  return kind(z.string().min(1).max(500), about, { allowed: "must be a pattern such as '**/*.jsonl'" })
}

/** The name of something that stands elsewhere, such as a pool. */
export function nameOf(about: string, of: string) {
  return kind(z.string().regex(namePattern), about, { allowed: `must be the name of ${of}` })
}

/** Names of things that stand elsewhere. */
export function namesOf(about: string, of: string) {
  return kind(z.array(z.string().regex(namePattern)), about, {
    allowed: `must be a list of names of ${of}`,
    item: `must be the name of ${of}`,
  })
}

/** YAML reads `[sleep, 5]` and `[false]` as a number and a truth value; a program gets them as they are written. */
const word = z.union([z.string().min(1), z.number(), z.boolean()]).transform(String)
const anyWord = z.union([z.string(), z.number(), z.boolean()]).transform(String)

/** A program and its arguments as a list of words. */
export function command(about: string) {
  const allowed = 'must be a command as a list of words, such as [systemctl, start, crawler] (no shell reads it)'
  return kind(z.tuple([word], anyWord), about, {
    allowed,
    item: 'must be a word, in quotes if need be',
  })
}

/** Programs with their arguments, one after the other. */
export function commands(about: string) {
  const allowed = 'must be a list of commands, each a list of words, such as [[/usr/local/bin/tiering, --apply]]'
  return kind(z.array(z.tuple([word], anyWord)), about, { allowed, item: allowed })
}

/** Entries under names of the operator's choice; in the environment, as JSON. */
export function entries<S extends z.ZodObject>(about: string, entry: S) {
  const read = (text: string): unknown => {
    try {
      return JSON.parse(text)
    } catch {
      return text
    }
  }
  const allowed = 'must consist of entries with a name each (in the environment: a JSON object)'
  return kind(z.record(z.string().regex(namePattern), entry), about, { allowed, read })
}

/** What the name of an entry may be. */
export const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/

/** Whether a text has the form of a well-known credential; it is asked only to catch a secret in the wrong place. */
function looksLikeSecret(text: string): boolean {
  return /^(sk-|AIza|eyJ|xox[abp]-|gh[pos]_|Bearer\s)|^\d{6,}:[\w-]{30,}$|-----BEGIN/.test(text.trim())
}

function list(item: (text: string) => unknown): (text: string) => unknown {
  return (text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map(item)
}
