import {
  type Findings,
  type Gate,
  healthOf,
  joined,
  joinedCredential,
  type ModelFamily,
  pristine,
} from '../../pool/pool.ts'
import type { CredentialRecord, CredentialState, DomainState, Write } from '../../store/store.ts'
import type { Core } from '../state/context.ts'
import type { LiveCredential, Pool } from '../state/live.ts'
import { AdoptingPools } from './adopting-pools.ts'
import type { AdoptingDeps } from './deps.ts'
import { findingsIn, ownFindings, withFindings } from './knowledge.ts'

/** Takes into the live state what other replicas have written. It is neither recorded nor told again. */
export class Adopting {
  readonly #core: Core
  readonly #deps: AdoptingDeps
  readonly #pools: AdoptingPools

  constructor(core: Core, deps: AdoptingDeps) {
    this.#core = core
    this.#deps = deps
    this.#pools = new AdoptingPools(core, deps)
  }

  /** Takes in rows as they are now, in an order in which they can be applied. */
  adopt(writes: readonly Write[]): void {
    for (const write of writes) {
      if ('drop' in write) this.#drop(write)
      else if (write.put === 'credential') this.#credential(write.row)
      else if (write.put === 'credential-state') this.#state(write.row)
      else if (write.put === 'domain') this.#domain(write.row)
    }
    this.#pools.adopt(writes)
  }

  #drop(write: Extract<Write, { drop: string }>): void {
    if (write.drop !== 'credential') return
    const { registry, clock } = this.#core
    const credential = registry.byId.get(write.id)
    if (!credential) return
    for (const { pool } of [...credential.seats]) this.#pools.empty(pool, credential, clock.now())
    registry.forgetCredential(credential)
    credential.generation++
  }

  #credential(row: CredentialRecord): void {
    const { registry } = this.#core
    const credential = registry.byId.get(row.id)
    if (!credential) {
      registry.addCredential(row, pristine, 1)
      return
    }
    const before = credential.record
    credential.record = row
    if (before.baseUrl === row.baseUrl && before.domain === row.domain) return
    for (const pool of new Set([...credential.seats].map((seat) => seat.pool))) this.#pools.seatAnew(pool)
  }

  #state(row: CredentialState): void {
    const { registry } = this.#core
    const { knowledge, heard } = this.#deps
    const credential = registry.byId.get(row.id)
    if (!credential) return
    const merged = joinedCredential(knowledge.ofCredential(credential), findingsIn(row))
    if (credential.generation !== merged.generation) {
      credential.generation = merged.generation
      credential.isFresh = false
    }
    this.#become(credential.gate, merged.own)
    for (const model of credential.models.keys()) if (!merged.models.has(model)) registry.forgetModel(credential, model)
    for (const [model, findings] of merged.models) this.#limit(credential, model, findings)
    knowledge.putModels(credential, merged.models)
    heard(credential)
    for (const pool of poolsOf(credential)) this.#deps.queue.disturbed(pool)
  }

  #limit(credential: LiveCredential, model: ModelFamily, findings: Findings): void {
    const { registry } = this.#core
    if (healthOf(findings).state === 'healthy') registry.forgetModel(credential, model)
    else this.#become(registry.modelGate(credential, model), findings)
  }

  #domain({ name, health }: DomainState): void {
    const gate = this.#core.registry.domain(name)
    this.#become(gate, joined(this.#deps.knowledge.of(gate), ownFindings(health)))
  }

  #become(gate: Gate, findings: Findings): void {
    const health = withFindings(gate.health, findings)
    if (health !== gate.health) {
      gate.health = health
      this.#core.registry.refile(gate, this.#core.clock.now())
    }
    this.#deps.knowledge.put(gate, findings)
  }
}

function poolsOf(credential: LiveCredential): Set<Pool> {
  return new Set([...credential.seats].map((seat) => seat.pool))
}
