import { Conflict, LeaseLost, StaleGeneration, StoreError, type StoreErrorCode } from '../fault.ts'

/** What a code of PostgreSQL (appendix A of its manual) or of Node means for a call. */
interface Meaning {
  readonly code: StoreErrorCode
  readonly what: string
  readonly hint: string | null
}

const login = 'Check the user in store.url and the password (store.passwordFile, PGPASSWORD or PGPASSFILE).'
const back = 'What is pending is written when it is back.'

const meanings: readonly (readonly [RegExp, Meaning])[] = [
  [/^28/, { code: 'unavailable', what: 'does not let us in', hint: login }],
  [/^3D000$/, { code: 'unavailable', what: 'has no such database', hint: 'Create it: createdb' }],
  [
    /^42501$/,
    { code: 'unavailable', what: 'does not let our user do this', hint: 'Make the user owner of the schema.' },
  ],
  [/^25006$/, { code: 'unavailable', what: 'takes no writes now (a standby, or read-only)', hint: back }],
  [
    /^53300$/,
    { code: 'unavailable', what: 'has no connection left', hint: 'Lower store.connections, or raise its limit.' },
  ],
  [/^53100$/, { code: 'full', what: 'has no disk space left', hint: back }],
  [/^(57014|25P03|25P04)$/, { code: 'deadline', what: 'took too long', hint: back }],
  [/^(40001|40P01|55P03)$/, { code: 'locked', what: 'is held up by somebody else', hint: null }],
  [/^XX00[12]$/, { code: 'corrupt', what: 'is damaged', hint: 'Nothing was changed. Put a backup in its place.' }],
  [
    /^08P01$/,
    { code: 'unavailable', what: 'does not speak as expected', hint: 'Does a connection pooler stand in between?' },
  ],
  [/^(08|57P|53|58)/, { code: 'unavailable', what: 'cannot be used now', hint: back }],
  [
    /^(E[A-Z_]+|UNABLE_TO_|CERT_|DEPTH_ZERO|SELF_SIGNED|ERR_)/,
    { code: 'unavailable', what: 'cannot be reached', hint: back },
  ],
]

/** The error in the words of the Store; `label` names the database. Errors of the port itself stay as they are. */
export function faultOf(error: unknown, label: string): Error {
  if (error instanceof StoreError || error instanceof StaleGeneration) return error
  if (error instanceof Conflict || error instanceof LeaseLost) return error
  const message = error instanceof Error && error.message ? error.message : String(codeOf(error))
  const meaning = meanings.find(([pattern]) => pattern.test(codeOf(error)))?.[1]
  if (meaning)
    return new StoreError(meaning.code, `${label} ${meaning.what}: ${message}`, { cause: error, hint: meaning.hint })
  if (/password must be a (non-empty )?string/i.test(message))
    return new StoreError('unavailable', `${label} asks for a password, and none is known`, { hint: login })
  if (codeOf(error) === '' && isAboutTheConnection(message))
    return new StoreError('unavailable', `${label} cannot be reached: ${message}`, { cause: error, hint: back })
  return new StoreError('rejected', `the store does not take this: ${message}`, { cause: error })
}

/** Whether trying the whole transaction again at once may succeed: a serialization failure, a deadlock, a lost race. */
export function mayRunAgain(error: unknown): boolean {
  return (
    ['40001', '40P01'].includes(codeOf(error)) || (codeOf(error) === '23505' && constraintOf(error) === 'audit_pkey')
  )
}

/** Whether the connection is of no use after the error: it is lost, or leads to a server that is not the one wanted. */
export function endsConnection(error: unknown): boolean {
  if (error instanceof StoreError) return false
  const code = codeOf(error)
  if (code === '') return !(error instanceof Error) || isAboutTheConnection(error.message)
  return /^(08|57P|25006|25P03|25P04|E[A-Z_]+$)/.test(code)
}

function isAboutTheConnection(message: string): boolean {
  return /connection|timeout|not queryable|SSL|socket/i.test(message)
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0])
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

function constraintOf(error: unknown): string {
  return error instanceof Error && 'constraint' in error ? String(error.constraint) : ''
}
