import { StaleGeneration, StoreError, type StoreErrorCode } from './fault.ts'
import type { StoreKey } from './fingerprint.ts'
import type { StepName, StepTypes } from './steps.ts'

/** What the worker is told when it starts. */
export interface WorkerOptions {
  readonly file: string
  readonly key: StoreKey
  /** How long a statement waits for another process's lock. */
  readonly busyMs: number
  /** The version of the program, for the mark in the database. */
  readonly program: string
  /** A store that is not completely copied yet is opened, too. */
  readonly resumes: boolean
  /** A worker in place of a lost one: the database is there and was looked at already. */
  readonly again: boolean
}

/** Calls beside the steps: `open` answers when the database is ready, `close` when it is closed. */
export interface CallTypes extends StepTypes {
  open: { asks: null; answers: null }
  close: { asks: null; answers: null }
}

export type CallName = keyof CallTypes

export interface Asked<C extends CallName = CallName> {
  readonly id: number
  readonly call: C
  readonly asks: CallTypes[C]['asks']
}

export type Answered =
  | { readonly id: number; readonly answer: CallTypes[CallName]['answers'] }
  | { readonly id: number; readonly fault: Fault }

/** An error in a form that crosses between threads. */
interface Fault {
  readonly code: StoreErrorCode | 'stale-generation'
  readonly message: string
  readonly hint: string | null
}

export function isStep(call: CallName): call is StepName {
  return call !== 'open' && call !== 'close'
}

export function faultFrom(error: StoreError | StaleGeneration): Fault {
  if (error instanceof StoreError) return { code: error.code, message: error.message, hint: error.hint }
  return { code: 'stale-generation', message: error.message, hint: null }
}

export function errorFrom({ code, message, hint }: Fault): Error {
  return code === 'stale-generation' ? new StaleGeneration(message) : new StoreError(code, message, { hint })
}
