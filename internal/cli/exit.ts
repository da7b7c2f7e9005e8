import { CommanderError } from 'commander'
import { phrasedHint, Refusal, type RefusalCode } from '../ops/client.ts'
import { systemErrorText } from './system-error.ts'

/** Exit codes, as users and scripts rely on them (docs/interface.md, "Exit codes"; 69, 75 and 77 are those of sysexits.h). */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  unreachable: 69,
  tryLater: 75,
  needsPerson: 77,
  interrupted: 130,
} as const

const ofRefusal: Readonly<Record<RefusalCode, number>> = {
  'not-found': exitCodes.notFound,
  conflict: exitCodes.conflict,
  invalid: exitCodes.usage,
  'try-later': exitCodes.tryLater,
  'needs-person': exitCodes.needsPerson,
  failed: exitCodes.failed,
}

/** A daemon is needed, or holds the data directory, and does not answer. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
  readonly hint: string | null
  /** It was waited for in vain; otherwise there was nobody to wait for. */
  readonly isLate: boolean

  constructor(message: string, hint: string | null = null, isLate = false) {
    super(message)
    this.hint = hint
    this.isLate = isLate
  }
}

/** Somebody pressed Ctrl-C at a question. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/** How a run ended: its exit code and what is said about it on stderr; null says nothing more. */
export interface Ending {
  readonly code: number
  readonly message: string | null
  readonly hint: string | null
}

/** What an error thrown by a command means for the one who typed it. */
export function endingOf(error: unknown): Ending {
  if (error instanceof Refusal)
    return { code: ofRefusal[error.code], message: error.message, hint: phrasedHint(error.hint) }
  if (error instanceof Unreachable) return { code: exitCodes.unreachable, message: error.message, hint: error.hint }
  if (error instanceof Interrupted) return { code: exitCodes.interrupted, message: null, hint: null }
  // Commander has already printed its help, its version or its own sentence about the usage.
  if (error instanceof CommanderError)
    return { code: error.exitCode === 0 ? exitCodes.done : exitCodes.usage, message: null, hint: null }
  return {
    code: exitCodes.failed,
    message: systemErrorText(error) ?? (error instanceof Error ? error.message : String(error)),
    hint: hintOf(error),
  }
}

/** Errors of the vault and the store say what to do about them as well. */
function hintOf(error: unknown): string | null {
  return error instanceof Error && 'hint' in error && typeof error.hint === 'string' ? error.hint : null
}
