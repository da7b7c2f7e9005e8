import { type Material, NoMaterial } from '../../credential/credential.ts'
import type { Lease } from '../../engine/engine.ts'
import type { UpgradeClient } from '../../http1/http1.ts'
import type { Outcome } from '../../pool/pool.ts'
import { Attempt, type Surroundings } from '../attempt/attempt.ts'
import type { Walk } from '../failover/walk.ts'
import { type Failure, failureOf, missingSecret } from '../upstream/failure.ts'
import { UpgradeAttempt } from '../websocket/upgrade.ts'
import { SocketVerdict } from '../websocket/verdict.ts'
import type { Admitted, Gateway } from './context.ts'
import type { Outgoing } from './outgoing.ts'

/** A round trip, whether it asks for an answer or for a WebSocket. */
export type Trip = Attempt | UpgradeAttempt

/** Who has requests sent, and is told what has come of them as by an Attempt. */
export interface SenderOwner {
  decide(trip: Trip, outcome: Outcome): void
  /** The upgrade is granted and held back; what it means for the member is told to its walk later. */
  granted(trip: UpgradeAttempt): void
  failed(trip: Trip, failure: Failure): void
  late(trip: Trip, outcome: Outcome): void
  finished(trip: Trip): void
  severed(trip: Trip): void
  /** Whether nobody waits for an answer any more. */
  readonly isOver: boolean
  /** A round trip begins. */
  departs(trip: Trip): void
  /** The member's secret cannot be had, so nothing was sent. */
  unequipped(failure: Failure, walk: Walk): void
  /** A fault of our own. */
  crashed(error: unknown): void
}

/** Sends a request with a member's secret, once per call. */
export class Sender {
  readonly #gateway: Gateway
  readonly #upgrade: UpgradeClient | null
  readonly #outgoing: Outgoing
  readonly #owner: SenderOwner
  readonly #around: Surroundings

  constructor(gateway: Gateway, { dialect, response, upgrade }: Admitted, outgoing: Outgoing, owner: SenderOwner) {
    const { clock, upstreams } = gateway
    const { holdMs } = gateway.settings.replay
    const { method } = outgoing
    this.#gateway = gateway
    this.#upgrade = upgrade
    this.#outgoing = outgoing
    this.#owner = owner
    this.#around = {
      owner,
      dialect,
      response,
      method,
      clock,
      idleMs: upstreams.settings.idleMs,
      holdMs: dialect.provider === 'codex' ? holdMs.codex : holdMs.default,
    }
  }

  /** Gets the member's secret, which is there at once unless a token has to be refreshed first, and sends. */
  send(lease: Lease, walk: Walk): void {
    let material: Material | Promise<Material>
    try {
      material = this.#gateway.credentials.material(lease.credential)
    } catch (error) {
      this.#unequipped(error, walk)
      return
    }
    if ('injection' in material) this.#depart(lease, walk, material)
    else this.#departLate(lease, walk, material)
  }

  #departLate(lease: Lease, walk: Walk, material: Promise<Material>): void {
    const owner = this.#owner
    material
      .then(
        (late) => owner.isOver || this.#depart(lease, walk, late),
        (error) => owner.isOver || this.#unequipped(error, walk),
      )
      .catch((error: unknown) => owner.crashed(error))
  }

  #unequipped(error: unknown, walk: Walk): void {
    if (!(error instanceof NoMaterial)) throw error
    walk.attempts++
    this.#owner.unequipped(missingSecret(error.reason), walk)
  }

  #depart(lease: Lease, walk: Walk, material: Material): void {
    walk.sendWith(material)
    const { upstreams, clock } = this.#gateway
    const { injection } = material
    const trip = this.#upgrade
      ? new UpgradeAttempt(lease, injection, this.#aroundUpgrade(this.#upgrade, lease, walk))
      : new Attempt(lease, injection, this.#around)
    this.#owner.departs(trip)
    trip.startedAt = clock.mono()
    try {
      const upstream = upstreams.at(lease.baseUrl)
      if (trip instanceof Attempt) this.#outgoing.send(upstream, injection, trip)
      else trip.send(this.#outgoing.destination(lease, upstream, injection))
    } catch (error) {
      this.#owner.failed(trip, failureOf(error as Error, false))
    }
  }

  #aroundUpgrade(client: UpgradeClient, lease: Lease, walk: Walk) {
    const { upstreams, clock, sockets, credentials } = this.#gateway
    const { connectMs, headMs } = upstreams.settings
    const verdict = new SocketVerdict(credentials, walk, lease)
    const { dialect, holdMs } = this.#around
    return { owner: this.#owner, verdict, dialect, client, sockets, clock, connectMs, headMs, holdMs }
  }
}
