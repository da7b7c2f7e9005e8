import type { Dialect, Provider, Shape } from './port.ts'
import type { Hint, Row } from './rows.ts'

/** Where a provider offers one shape of API, and how it is asked there. */
export interface Offer {
  /** null: the operator must name it. */
  readonly baseUrl: string | null
  /** The header that carries a key; an OAuth token always goes into `Authorization`. */
  readonly secretHeader: 'authorization' | 'x-api-key' | 'api-key' | 'x-goog-api-key'
  /** What the canonical probe asks for, below a base without a version; null: nothing that every key may ask for is known. */
  readonly probe: string | null
  /** The headers in which its clients put their key, where they are not those of the shape. */
  readonly keyHeaders?: readonly string[]
}

/** What is a provider's own: data, and the words that mean something at this provider only. */
export interface Profile {
  readonly provider: Provider
  /** The shapes of API that it offers; the first is its own. */
  readonly offers: Readonly<Partial<Record<Shape, Offer>>>
  /** Looked at before the words that all providers share. */
  readonly rows?: readonly Row[]
  /** What a status alone means here, looked at after all words. */
  readonly statuses?: readonly Row[]
  /** Another source of hints than the shape's. */
  readonly hint?: Hint
  /** The time zone of its sentences, in minutes east of UTC. */
  readonly zone?: number
  /** Whether the whole JSON body of a 2xx answer can be an error. */
  readonly errorInOk?: boolean
  /** Whether a credential is an OAuth token, where nobody says. */
  readonly oauth?: boolean
  readonly inject?: Dialect['inject']
  readonly model?: Dialect['model']
  readonly findProbe?: Dialect['probe']
}
