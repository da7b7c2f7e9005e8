import { isAbsolute, join } from 'node:path'
import { z } from 'zod'
import { formatProblems, type Problem, readSource, suggest } from '../../config/config.ts'
import { Refusal, untuned } from '../../pool/pool.ts'
import { pointed, saying } from '../issues.ts'
import { highestTier, percentage } from '../verbs/seats.ts'

const text = z.string().min(1)
const setting = z.union([z.string(), z.number(), z.null()]).optional()

const credential = z.strictObject({
  provider: text,
  shape: text.optional(),
  source: z.union([
    z.literal('vault'),
    z.strictObject({ env: text }),
    z.strictObject({ file: text, format: text.optional() }),
    z.strictObject({ command: text }),
  ]),
  baseUrl: text.optional(),
  domain: text.optional(),
  header: text.optional(),
  login: z
    .strictObject({
      tokenUrl: text.optional(),
      clientId: text.optional(),
      clientSecretFile: text.optional(),
      scope: text.optional(),
    })
    .optional(),
})

const tuned = z.strictObject({
  member: text,
  weight: z.int().min(1).max(1000).default(untuned.weight),
  tier: z.int().min(1).max(highestTier).default(untuned.tier),
  maxInFlight: z.int().min(1).max(100_000).nullable().default(untuned.maxInFlight),
  caps: z.record(z.string(), percentage).default(untuned.caps),
})

const member = z.union([text.transform((name) => ({ member: name, ...untuned })), tuned])

const pool = z.strictObject({
  provider: text,
  shape: text.optional(),
  members: z.array(member),
  upstream: setting,
  strategy: setting,
  maxWaitMs: setting,
  onExhausted: setting,
  preemptAt: setting,
  affinity: setting,
  probePath: setting,
})

const declared = z.strictObject({
  credentials: z.record(z.string(), credential).default({}),
  pools: z.record(z.string(), pool).default({}),
})

export type DeclaredCredential = z.output<typeof credential>
export type DeclaredPool = z.output<typeof pool>

/** What an operator wants to be so, with the way to say what is wrong with it at its line. */
export interface Manifest {
  readonly credentials: Readonly<Record<string, DeclaredCredential>>
  readonly pools: Readonly<Record<string, DeclaredPool>>
  /** Notes a problem at a dotted key; `settle` refuses with all of them. */
  problem(key: string, message: string, hint: string | null): void
  settle(): void
}

/** Reads the YAML of `apply`; refuses what cannot be read with every problem and its line. */
export function readManifest(yaml: string, file: string, folder: string): Manifest {
  const source = readSource(yaml, file)
  const problems: Problem[] = [...source.problems]
  const problem = (key: string, message: string, hint: string | null) =>
    problems.push({ file, line: source.lineOf(key), key, message, hint })
  const settle = () => {
    if (problems.length > 0) throw new Refusal('invalid', formatProblems(problems), 'nothing was changed')
  }
  const parsed = declared.safeParse(source.value ?? {})
  if (!parsed.success) for (const issue of parsed.error.issues.flatMap(formed)) explain(issue, problem)
  settle()
  const { credentials, pools } = parsed.data ?? { credentials: {}, pools: {} }
  return { credentials: mapValues(credentials, (one) => rooted(one, folder)), pools, problem, settle }
}

function rooted(declared: DeclaredCredential, folder: string): DeclaredCredential {
  const { source, login } = declared
  const at = (file: string) => (isAbsolute(file) ? file : join(folder, file))
  const secret = login?.clientSecretFile
  return {
    ...declared,
    ...(typeof source === 'object' && 'file' in source ? { source: { ...source, file: at(source.file) } } : {}),
    ...(secret === undefined ? {} : { login: { ...login, clientSecretFile: at(secret) } }),
  }
}

function mapValues<T>(values: Readonly<Record<string, T>>, change: (value: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]))
}

const keys: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(declared.shape),
  credentials: Object.keys(credential.shape),
  pools: Object.keys(pool.shape),
  members: Object.keys(tuned.shape),
}

/** The forms of a source are said in a sentence of their own. */
function formed(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  return issue.path.at(-1) === 'source' ? [issue] : pointed(issue)
}

type Note = (key: string, message: string, hint: string | null) => void

function explain(issue: z.core.$ZodIssue, problem: Note): void {
  const path = issue.path.map(String)
  if (issue.code !== 'unrecognized_keys') {
    const isSource = path.at(-1) === 'source'
    problem(path.join('.'), isSource ? 'must be vault, {env: …}, {file: …} or {command: …}' : saying(issue), null)
    return
  }
  for (const key of issue.keys) {
    const near = suggest(key, keys[path.at(-2) ?? ''] ?? [])
    problem([...path, key].join('.'), 'unknown key', near && `did you mean ${near}?`)
  }
}
