import { type Material, NoMaterial } from '../../credential/credential.ts'
import type { Lease } from '../../engine/engine.ts'
import type { Outcome } from '../../pool/pool.ts'
import { Attempt, type AttemptContext, type AttemptListener } from '../attempt/attempt.ts'
import type { RequestHistory } from '../failover/history.ts'
import { type Failure, failureOf, missingSecret } from '../upstream/failure.ts'
import { UpgradeAttempt, type UpgradeListener } from '../websocket/upgrade.ts'
import { SocketVerdict } from '../websocket/verdict.ts'
import type { AdmittedRequest, ProxyContext } from './context.ts'
import type { Judgement } from './judgement.ts'
import { dialectFor } from './member-dialect.ts'
import type { Outgoing } from './outgoing.ts'
import { type AnyAttempt, type State, waitingFor } from './state.ts'

/** What an attempt of either kind calls with its result. */
export interface AnyAttemptListener extends AttemptListener, UpgradeListener {
  decide(attempt: AnyAttempt, outcome: Outcome): void
  failed(attempt: AnyAttempt, failure: Failure): void
  finished(attempt: AnyAttempt): void
  severed(attempt: AnyAttempt): void
}

/** What an exchange works with once its body has been read and its turn in the pool has begun. */
export interface TurnContext {
  readonly history: RequestHistory
  readonly judgement: Judgement
}

/** Makes the attempts of one request: one with each lease, and one more with a renewed token. */
export class Attempts {
  readonly #context: ProxyContext
  readonly #upgrade: AdmittedRequest['upgrade']
  readonly #outgoing: Outgoing
  readonly #listener: AnyAttemptListener
  readonly #admitted: AdmittedRequest
  readonly #shared: Omit<AttemptContext, 'dialect' | 'holdMs'>

  constructor(context: ProxyContext, admitted: AdmittedRequest, outgoing: Outgoing, listener: AnyAttemptListener) {
    const { clock, upstreams } = context
    const { response, upgrade } = admitted
    this.#context = context
    this.#upgrade = upgrade
    this.#outgoing = outgoing
    this.#listener = listener
    this.#admitted = admitted
    this.#shared = {
      listener,
      response,
      method: outgoing.method,
      clock,
      idleMs: upstreams.settings.idleMs,
    }
  }

  /**
   * Sends with the member of the lease. Returns null when the request is on its way, a wait when a token is refreshed
   * first, or the failing state when the secret cannot be had.
   */
  send(lease: Lease, turnContext: TurnContext): State | null {
    let material: Material | Promise<Material>
    try {
      material = this.#context.credentials.material(lease.credential)
    } catch (error) {
      return withoutSecret(error, turnContext)
    }
    if ('injection' in material) return this.#depart(lease, material, turnContext)
    const late = material.then(
      (found) => () => this.#depart(lease, found, turnContext),
      (error: unknown) => () => withoutSecret(error, turnContext),
    )
    return waitingFor(late, (goOn) => goOn())
  }

  /** Makes an attempt and hands it to the connections of the upstream. What cannot be sent fails like any other attempt. */
  #depart(lease: Lease, material: Material, { history, judgement }: TurnContext): null {
    const { upstreams, clock } = this.#context
    const { injection } = material
    history.attempt(material.generation)
    const attempt = this.#make(lease, material, history)
    judgement.departs(attempt)
    attempt.startedAt = clock.mono()
    try {
      const upstream = upstreams.at(lease.baseUrl)
      if (attempt instanceof Attempt) this.#outgoing.send(upstream, injection, attempt)
      else attempt.send(this.#outgoing.destination(lease, upstream, injection))
    } catch (error) {
      this.#listener.failed(attempt, failureOf(error as Error, false))
    }
    return null
  }

  #make(lease: Lease, { injection }: Material, history: RequestHistory): AnyAttempt {
    const { upstreams, clock, sockets, credentials, settings } = this.#context
    const dialect = dialectFor(this.#context, this.#admitted, lease)
    const holdMs = dialect.provider === 'codex' ? settings.replay.holdMs.codex : settings.replay.holdMs.default
    if (this.#upgrade === null) return new Attempt(lease, injection, { ...this.#shared, dialect, holdMs })
    const { connectMs, headMs } = upstreams.settings
    const verdict = new SocketVerdict(credentials, history, lease)
    return new UpgradeAttempt(lease, injection, {
      listener: this.#listener,
      verdict,
      dialect,
      client: this.#upgrade,
      sockets,
      clock,
      connectMs,
      headMs,
      holdMs,
    })
  }
}

function withoutSecret(error: unknown, { history }: TurnContext): State {
  if (!(error instanceof NoMaterial)) throw error
  history.attempt(null)
  return { at: 'failing', failure: missingSecret(error.reason) }
}
