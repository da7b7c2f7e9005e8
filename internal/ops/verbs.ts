import type { z } from 'zod'
import { doctorVerbs } from './doctor/doctor.ts'
import { manifestVerbs } from './manifest/manifest.ts'
import type { Verb } from './verb.ts'
import { trailVerbs } from './verbs/audit.ts'
import { configurationVerbs } from './verbs/configuration.ts'
import { credentialVerbs } from './verbs/credentials.ts'
import { environmentVerbs } from './verbs/environment.ts'
import { guardVerbs } from './verbs/guard.ts'
import { importVerbs } from './verbs/import.ts'
import { jobVerbs } from './verbs/jobs.ts'
import { keyVerbs } from './verbs/keys.ts'
import { loginVerbs } from './verbs/logins.ts'
import { noticeVerbs } from './verbs/notices.ts'
import { poolVerbs } from './verbs/pools.ts'
import { seatVerbs } from './verbs/seats.ts'
import { statusVerbs } from './verbs/status.ts'
import { tokenVerbs } from './verbs/token.ts'
import { usageVerbs } from './verbs/usage.ts'
import { verdictVerbs } from './verbs/verdicts.ts'
import { webVerbs } from './verbs/web.ts'

/** Every verb by name; the CLI's remote client, the admin API's routes and the Ops type all come from this table. */
export const verbs = {
  ...statusVerbs,
  ...poolVerbs,
  ...seatVerbs,
  ...verdictVerbs,
  ...credentialVerbs,
  ...importVerbs,
  ...loginVerbs,
  ...tokenVerbs,
  ...keyVerbs,
  ...jobVerbs,
  ...guardVerbs,
  ...trailVerbs,
  ...usageVerbs,
  ...environmentVerbs,
  ...manifestVerbs,
  ...doctorVerbs,
  ...noticeVerbs,
  ...configurationVerbs,
  ...webVerbs,
}

export type VerbName = keyof typeof verbs

/** A verb whose types are not known, as the admin API and the remote client handle it. */
export type AnyVerb = Verb<z.ZodObject, unknown>

type ArgsOf<V> = V extends Verb<infer A, unknown> ? z.input<A> : never
type ResultOf<V> = V extends { run(...args: never[]): Promise<infer R> } ? R : never

/** All verbs as methods with plain, JSON-serialisable arguments and results; each rejects with a Refusal. */
export type Ops = {
  readonly [V in VerbName]: (args: ArgsOf<(typeof verbs)[V]>) => Promise<ResultOf<(typeof verbs)[V]>>
}

/** An Ops whose methods are made one by one from the table, by whatever carries them out. */
export function opsFrom(
  method: (verb: AnyVerb, name: string) => (args: Record<string, unknown>) => Promise<unknown>,
): Ops {
  const methods: object = Object.fromEntries(Object.entries(verbs).map(([name, verb]) => [name, method(verb, name)]))
  return methods as Ops
}
