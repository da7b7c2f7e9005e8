import type { At, ModelFamily, Outcome } from '../pool/pool.ts'
import type { ClientKind } from './clients.ts'

/** The forms in which an API can be spoken: where fields are, how streams fail, how an answer of our own looks. */
export const shapes = ['openai', 'anthropic', 'gemini'] as const
export type Shape = (typeof shapes)[number]

export const providers = [
  'openai',
  'codex',
  'anthropic',
  'gemini',
  'openrouter',
  'azure',
  'xai',
  'deepseek',
  'zai',
  'kimi',
  'moonshot',
  'minimax',
  'dashscope',
  'ark',
  'siliconflow',
  'mistral',
  'groq',
  'together',
  'fireworks',
  'cerebras',
  'bedrock',
  'vertex',
  'generic',
] as const
export type Provider = (typeof providers)[number]

/** What decides which API is spoken: the names that a pool or a credential has stored. */
export interface Spoken {
  readonly provider: string
  /** Absent: the provider's own. */
  readonly shape?: string | undefined
}

/** Raw header pairs as node and undici give them: name, value, name, value … */
export type RawHeaders = readonly string[]

/** What a credential puts into a request, already revealed: the last step before the bytes leave. */
export interface Injection {
  readonly secret: string
  /** `bearer-token` is an OAuth access token; some providers want it elsewhere than an API key. */
  readonly kind: 'api-key' | 'bearer-token'
  /** ChatGPT account of the token (`codex`). */
  readonly accountId: string | null
  /** The header that carries the secret (`generic`, `--header`). */
  readonly header: string | null
}

/** The parts of a response that decide; header names in lower case, values joined as node does. */
export interface ResponseFacts {
  readonly status: number
  readonly header: (name: string) => string | undefined
  /** All header names, for the dialects that scan by prefix. */
  readonly headerNames: () => readonly string[]
  /** The decoded body, at most 64 KiB of it; null when there is none or it was not read. */
  readonly body: string | null
  /** Whether the credential is an OAuth token. */
  readonly oauth: boolean
}

/** The next event of a stream, or a WebSocket frame: its SSE `event` name if any, and its data. */
export interface StreamEvent {
  readonly event: string | null
  readonly data: string
}

/** `lifecycle`: says nothing yet (`response.created`, `message_start`, `ping`); `content`: the answer has begun. */
export type EventMeaning = 'lifecycle' | 'content' | Outcome

/** A complete answer that spillway gives by itself. */
export interface LocalAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export type LocalErrorCode =
  | 'unknown_key'
  | 'missing_key'
  | 'key_not_allowed'
  | 'bad_request'
  | 'method_not_allowed'
  | 'body_too_large'
  | 'pool_empty'
  | 'upstream_unreachable'
  | 'upstream_reset'
  | 'upstream_timeout'
  | 'upstream_protocol'
  | 'credential_unavailable'
  | 'overloaded'
  | 'retries_spent'
  | 'members_full'
  | 'draining'
  | 'upgrade_refused'
  | 'expectation_failed'
  | 'internal'
  | 'previous_response_not_found'
  | 'not_found'

export interface LocalError {
  readonly status: number
  readonly code: LocalErrorCode
  readonly message: string
  readonly retryAfterSeconds: number | null
}

export interface Exhaustion {
  readonly pool: string
  readonly members: number
  /** null: nobody recovers without a person. */
  readonly retryAt: At | null
  /** The member that recovers first. */
  readonly first: string | null
  /** The command that helps, when only a person can. */
  readonly remedy?: string | null
}

/** Canonical probe: what to ask with the credential alone. */
export interface ProbeRequest {
  readonly method: 'GET'
  /** Path below the upstream base, or `/v1/models` style when the base has no version. */
  readonly path: string
}

/** What one provider's API says and wants to hear. Every method is a pure function. */
export interface Dialect {
  readonly provider: Provider
  readonly shape: Shape
  /** null: the operator must name one (`azure`, `bedrock`, `generic`). */
  readonly defaultBaseUrl: string | null
  /** Headers (lower case) in which clients of this provider put their key, besides `?key=`; all are stripped. */
  readonly keyHeaders: readonly string[]
  /** Adds the credential to the outgoing raw headers (client keys are already stripped), merging where the client's own value must survive. */
  inject(headers: string[], injection: Injection): void
  /** The model family that the request asks for, from the path alone or from a parsed JSON body. */
  model(path: string, body: unknown): ModelFamily | null
  /** Whether the whole JSON body of a 2xx answer can be an error (`openrouter`, `gemini`): then `classify` wants that body. */
  readonly errorInOk: boolean
  /** One of these words stands in every event of a stream that is a failure: an event without them need not be parsed. */
  readonly failureWords: readonly string[]
  classify(facts: ResponseFacts, now: At): Outcome
  /** `oauth`: whether the credential is an OAuth token; left out: what is usual with this provider. */
  classifyEvent(event: StreamEvent, now: At, oauth?: boolean): EventMeaning
  error(error: LocalError): LocalAnswer
  exhausted(exhaustion: Exhaustion, now: At, client: ClientKind): LocalAnswer
  /** null when this provider has none (`generic` without `probePath`). */
  probe(baseUrl: string, probePath: string | null): ProbeRequest | null
  /** A request that is answered locally without an attempt (Claude Code's `HEAD`, which has no key); null otherwise. */
  local(method: string, path: string, hasKey: boolean): LocalAnswer | null
}
