import { Buffer } from 'node:buffer'
import { type Frame, headerIn, type IncomingRequest } from '../../http1/http1.ts'
import { sendError, sendOwn } from '../exchange/answers.ts'
import type { AdmittedRequest, ProxyContext } from '../exchange/context.ts'
import { Outgoing } from '../exchange/outgoing.ts'
import { poolEmpty, unpresentable } from '../local/errors.ts'
import { endingOf, type RequestOutcome } from '../local/meter.ts'
import { beginningOf } from '../probe/beginning.ts'
import { failureOf } from '../upstream/failure.ts'
import { putHeader, responseHeaders } from '../upstream/headers.ts'

/** Whether a browser asks what it may send (Fetch, "CORS-preflight request"): such a request can carry no key. */
export function isPreflight({ method, rawHeaders }: IncomingRequest, { length }: Frame): boolean {
  return method === 'OPTIONS' && length === 0 && headerIn(rawHeaders, 'access-control-request-method') !== undefined
}

/** A preflight on its way upstream: without a credential, so that it says nothing about a member and waits for none. */
export class Preflight {
  readonly #context: ProxyContext
  readonly #admitted: AdmittedRequest
  readonly #onOver: (preflight: Preflight) => void
  #over = false

  /** `onOver` is called once, however it ends. */
  constructor(context: ProxyContext, admitted: AdmittedRequest, onOver: (preflight: Preflight) => void) {
    this.#context = context
    this.#admitted = admitted
    this.#onOver = onOver
  }

  /** Asks the upstream of the member that served last, or of the first. */
  start(): void {
    const { baseUrl } = this.#admitted.pool
    if (baseUrl === null) {
      sendError(this.#context, this.#admitted, poolEmpty, 0)
      this.#finish('exhausted')
      return
    }
    this.#ask(baseUrl).then(
      (outcome) => this.#finish(outcome),
      (error: Error) => this.#failed(error),
    )
  }

  clientGone(): void {
    this.#finish('client_gone')
  }

  async #ask(baseUrl: string): Promise<RequestOutcome> {
    const { upstreams, clock } = this.#context
    const upstream = upstreams.at(baseUrl)
    const request = new Outgoing(this.#admitted, this.#context).withoutCredential(upstream)
    const { status, headers, held } = await beginningOf(upstream.transport, request, clock)
    if (this.#over) return 'client_gone'
    if (!held.complete) {
      sendError(this.#context, this.#admitted, unpresentable, 1)
      return 'upstream_error'
    }
    const shown = responseHeaders(headers)
    if (status === 204) putHeader(shown, 'content-length', null)
    sendOwn(
      this.#context,
      this.#admitted,
      { status, headers: shown, body: Buffer.concat(held.parts).toString('latin1') },
      1,
    )
    return endingOf(status, 0)
  }

  #failed(error: Error): void {
    if (!this.#over) sendError(this.#context, this.#admitted, failureOf(error, false), 1)
    this.#finish('upstream_error')
  }

  #finish(outcome: RequestOutcome): void {
    if (this.#over) return
    this.#over = true
    this.#context.meter.request(this.#admitted.pool.name, outcome)
    this.#onOver(this)
  }
}
