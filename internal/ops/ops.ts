/**
 * The verbs: everything an operator can ask for, implemented once for the CLI, the admin API and Telegram.
 * Arguments and results are plain JSON, so that a verb can be called across a socket; a refused one rejects with a Refusal.
 */
import type { z } from 'zod'
import { type Actor, Refusal } from '../pool/pool.ts'
import { explainIssues } from './issues.ts'
import { JobBook } from './jobbook.ts'
import { LoginAttempts } from './login-attempts.ts'
import type { Call, OpsDeps } from './verb.ts'
import { type AnyVerb, type Ops, opsFrom, type VerbName, verbs } from './verbs.ts'

export type { AuditShape } from '../audit/audit.ts'
export { type Actor, Refusal, type RefusalCode } from '../pool/pool.ts'
export type { TestShape } from './credentials/asking.ts'
export { reach } from './doctor/reach.ts'
export type { DoctorRow } from './doctor/row.ts'
export type * from './guard.ts'
export { phrasedHint } from './hint.ts'
export type { LoginShape } from './login-attempts.ts'
export { missing } from './names.ts'
export type * from './notices.ts'
export type * from './present.ts'
export type { ConfigNow, OpsDeps, ReloadResult, WebFace } from './verb.ts'
export type { CredentialShape } from './verbs/credentials.ts'
export type { ImportShape } from './verbs/import.ts'
export type { ClaimShape } from './verbs/jobs.ts'
export { localKeyName } from './verbs/keys.ts'
export type { StatusShape } from './verbs/status.ts'
export type { TokenShape } from './verbs/token.ts'
export type { UsageShape } from './verbs/usage.ts'
export type { CheckShape } from './verbs/verdicts.ts'
export type { SettingShape, WebLinkShape } from './verbs/web.ts'
export { type AnyVerb, type Ops, type VerbName, verbs } from './verbs.ts'

/** The verbs, to be called as somebody, such as `operator:cli`; the audit log records who it was. */
export interface Operations {
  as(actor: Actor): Ops
  /** The same for a caller that has the verb's name and unchecked arguments. */
  run(actor: Actor, name: VerbName, args: Record<string, unknown>): Promise<unknown>
  /** Gives up the logins that wait for a person. */
  close(): void
}

/** The verbs over the live parts of this process. */
export function createOps(parts: OpsDeps): Operations {
  const jobs = new JobBook(parts)
  const logins = new LoginAttempts()
  const run = async (actor: Actor, verb: AnyVerb, args: Record<string, unknown>) => {
    const call: Call = { ...parts, actor, jobs, logins }
    const given = checked(verb, args)
    return verb.inTurn && parts.inTurn ? parts.inTurn('names', () => verb.run(call, given)) : verb.run(call, given)
  }
  return {
    as: (actor) => opsFrom((verb) => (args) => run(actor, verb, args)),
    run: (actor, name, args) => run(actor, verbs[name], args),
    close: () => logins.close(),
  }
}

/** The arguments as the verb's schema understands them; refuses with every problem and near names for unknown fields. */
function checked(verb: AnyVerb, args: Record<string, unknown>): z.output<z.ZodObject> {
  const parsed = verb.args.safeParse(args)
  if (parsed.success) return parsed.data
  throw new Refusal('invalid', explainIssues(parsed.error.issues, Object.keys(verb.args.shape)))
}
