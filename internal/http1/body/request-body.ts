import type { Readable } from 'node:stream'
import { HeldBody } from './held-body.ts'

/** A request's body as it goes upstream. */
export type RequestBody =
  /** Held completely, so that it can be sent again. */
  | { readonly held: true; readonly bytes: HeldBody }
  /** On its way: it can be sent once, and nobody can look into it. */
  | { readonly held: false; readonly rest: Readable; readonly length: number | null }

export const noBody: RequestBody = { held: true, bytes: new HeldBody() }
