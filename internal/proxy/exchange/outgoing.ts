import {
  type Dialect,
  type Injection,
  modelAsked,
  pathFor,
  type RawHeaders,
  stripKeyFromQuery,
} from '../../dialect/dialect.ts'
import type { Lease } from '../../engine/engine.ts'
import { noBody, type OutgoingRequest, type RequestBody } from '../../http1/http1.ts'
import { holdsKey } from '../../keys/keys.ts'
import type { ModelFamily } from '../../pool/pool.ts'
import type { Attempt } from '../attempt/attempt.ts'
import { putHeader, requestHeaders } from '../upstream/headers.ts'
import type { Upstream } from '../upstream/upstreams.ts'
import { handshakeHeaders } from '../websocket/handshake.ts'
import type { Destination } from '../websocket/upgrade-carrier.ts'
import type { AdmittedRequest, ProxyContext } from './context.ts'
import { dialectFor } from './member-dialect.ts'
import { askForPlainStream, modelAtEnds } from './stream-request.ts'

/** A client's request as it goes upstream, written anew for each attempt: without the client key and the headers of the hop. */
export class Outgoing {
  readonly method: string
  readonly #dialect: Dialect
  readonly #path: string
  readonly #query: string
  readonly #admitted: AdmittedRequest
  readonly #context: Pick<ProxyContext, 'turnStates' | 'dialectOf'>
  #filtered: readonly string[] | null = null
  /** Set as soon as the body is here, or known to be too long to wait for. */
  body: RequestBody = noBody

  constructor(admitted: AdmittedRequest, context: Pick<ProxyContext, 'turnStates' | 'dialectOf'>) {
    const { request, dialect, target } = admitted
    this.#admitted = admitted
    this.#context = context
    this.method = request.method ?? 'GET'
    this.#dialect = dialect
    this.#path = target.path
    this.#query = withoutKey(target.query)
  }

  /** Hands the request to the connections of `upstream`; what comes of it is told to the attempt. */
  send(upstream: Upstream, injection: Injection, attempt: Attempt): void {
    const { body } = this
    const { headers, path } = this.#for(attempt.lease, upstream, injection)
    upstream.transport.send({ method: this.method, path, headers, body }, attempt)
  }

  /** The request as it goes to `upstream` when no member is to be named with it; without a body. */
  withoutCredential(upstream: Upstream): OutgoingRequest {
    return { method: this.method, path: this.#pathAt(upstream), headers: this.#headers(), body: noBody }
  }

  /** Lets go of a held body that is not sent again: an answer may take long to end. */
  forget(): void {
    if (this.body.held) this.body = noBody
  }

  /** How the upgrade is asked for at `upstream`, where the lease goes. */
  destination(lease: Lease, upstream: Upstream, injection: Injection): Destination {
    const { lookup, connect } = upstream
    return { url: new URL(lease.baseUrl), ...this.#for(lease, upstream, injection), lookup, connect }
  }

  /** Headers with the secret, and the path, as the member of the lease understands them. */
  #for(lease: Lease, upstream: Upstream, injection: Injection): { headers: string[]; path: string } {
    const headers = this.#headersFor(lease)
    const dialect = dialectFor(this.#context, this.#admitted, lease)
    const isForeign = dialect !== this.#dialect
    if (isForeign) putHeader(headers, 'chatgpt-account-id', null)
    dialect.inject(headers, injection)
    const path = isForeign ? pathFor(dialect.provider, lease.baseUrl, this.#path) : this.#path
    return { headers, path: this.#pathAt(upstream, path) }
  }

  /** The model family that the request asks for, as far as the path or a held body tells. */
  model(): ModelFamily | null {
    const named = this.#dialect.model(this.#path, null)
    if (named !== null || !this.body.held) return named
    const bytes = this.body.bytes.whole()
    return bytes === null ? null : this.#dialect.model(this.#path, parsed(bytes))
  }

  /** The same, but only as far as either end of the body tells: cheap enough for every stream. */
  modelAtHand(): ModelFamily | null {
    const { body } = this
    const named = body.held ? modelAtEnds(body.bytes) : null
    return this.#dialect.model(this.#path, named === null ? null : { model: named })
  }

  /** The model as the request names it, as far as its path or either end of its body tells. */
  modelNamed(): string | null {
    const { body } = this
    return modelAsked(this.#path, body.held ? modelAtEnds(body.bytes) : null)
  }

  /** The client's own headers as far as they go on; a copy. */
  #headers(): string[] {
    const { request, upgrade } = this.#admitted
    const { rawHeaders } = request
    this.#filtered ??= upgrade ? handshakeHeaders(rawHeaders) : this.#filter(rawHeaders)
    return this.#filtered.slice()
  }

  /** The same without what belongs to another member. */
  #headersFor({ credential }: Lease): string[] {
    const headers = this.#headers()
    if (this.#dialect.provider === 'codex') this.#context.turnStates.strip(headers, credential.id)
    return headers
  }

  #filter(rawHeaders: RawHeaders): string[] {
    const headers = requestHeaders(rawHeaders)
    askForPlainStream(headers, { path: this.#path, query: this.#query, body: this.body })
    return headers
  }

  #pathAt({ pathOf }: Upstream, path = this.#path): string {
    return (pathOf(path) || '/') + this.#query
  }
}

function withoutKey(query: string): string {
  if (query === '') return query
  const named = stripKeyFromQuery(query.slice(1))
  const rest = holdsKey(named) ? withoutParts(named) : named
  return rest === '' ? '' : `?${rest}`
}

/** A query without the parameters that hold a client key under another name. */
function withoutParts(query: string): string {
  const parts = query.split('&')
  return parts.filter((part) => !holdsKey(part)).join('&')
}

/** The JSON of a body; null when it is none. */
function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return null
  }
}
