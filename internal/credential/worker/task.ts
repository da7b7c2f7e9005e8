import type { FileContent } from './disk.ts'

/** The blocking things that a worker does for the main thread: what it is asked, and what it answers. */
export interface Errands {
  read: { asks: { path: string }; answers: FileContent }
  stamps: { asks: { paths: readonly string[] }; answers: readonly (string | null)[] }
  reserve: { asks: { path: string; bytes: number }; answers: string }
  replace: { asks: { path: string; spare: string; before: string; after: string }; answers: string | null }
  drop: { asks: { path: string }; answers: undefined }
  /** Takes the lock; false: somebody else holds it. */
  lock: { asks: { path: string; beside: boolean }; answers: boolean }
  unlock: { asks: { path: string; beside: boolean }; answers: undefined }
  mark: { asks: { path: string; staleMs: number }; answers: boolean }
  touch: { asks: { path: string }; answers: undefined }
  unmark: { asks: { path: string }; answers: undefined }
  run: { asks: { words: readonly [string, ...string[]]; timeoutMs: number }; answers: string }
}

export type Errand = keyof Errands

export interface Asked<E extends Errand> {
  readonly errand: E
  readonly details: Errands[E]['asks']
}

export type Answer = { readonly result: unknown } | { readonly failed: string; readonly code: string | null }

/** An errand that failed (`code` is the system's, such as `ENOENT`), or that nobody answered in time (`hung`). */
export class ErrandFailed extends Error {
  override readonly name = 'ErrandFailed'
  readonly code: string | null

  constructor(message: string, code: string | null) {
    super(message)
    this.code = code
  }
}
