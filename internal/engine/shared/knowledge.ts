import {
  type CredentialFindings,
  type Findings,
  type Gate,
  type Health,
  healthOf,
  type ModelFamily,
  noFindings,
  observed,
} from '../../pool/pool.ts'
import type { CredentialState, KeptHealth, Known, Write } from '../../store/store.ts'
import type { LiveCredential } from '../state/live.ts'
import type { Registry } from '../state/registry.ts'

/** Of so many models without a limit it is remembered that their limits are over. */
const mostCleared = 64

/** What this replica knows of each gate beyond its health, so that what others know can be joined to it. */
export class Knowledge {
  readonly #registry: Registry
  readonly #gates = new WeakMap<Gate, Findings>()
  readonly #models = new WeakMap<LiveCredential, Map<ModelFamily, Findings>>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** What is known of the gate, its health included. */
  of(gate: Gate): Findings {
    const findings = observed(this.#gates.get(gate) ?? noFindings, gate.health)
    this.#gates.set(gate, findings)
    return findings
  }

  ofCredential(credential: LiveCredential): CredentialFindings {
    const models = this.#modelsOf(credential)
    for (const [model, gate] of credential.models)
      models.set(model, observed(models.get(model) ?? noFindings, gate.health))
    for (const [model, findings] of models) {
      // A limit that is over has no gate.
      const over = { state: 'healthy', since: findings.clearedAt } as const
      if (!credential.models.has(model)) models.set(model, observed(findings, over))
    }
    return { generation: credential.generation, own: this.of(credential.gate), models }
  }

  /** From now on this is known of the gate. */
  put(gate: Gate, findings: Findings): void {
    this.#gates.set(gate, findings)
  }

  putModels(credential: LiveCredential, models: CredentialFindings['models']): void {
    this.#models.set(credential, new Map(models))
  }

  /** The write with what is known beside it, where it is about a health. */
  dressed(write: Write): Write {
    if (!('put' in write)) return write
    if (write.put === 'credential-state') {
      const credential = this.#registry.byId.get(write.row.id)
      return credential ? { ...write, row: this.#dressedState(write.row, credential) } : write
    }
    if (write.put !== 'domain') return write
    const own = this.of(this.#registry.domain(write.row.name))
    return { ...write, row: { ...write.row, health: { ...write.row.health, known: { own } } } }
  }

  #dressedState(row: CredentialState, credential: LiveCredential): CredentialState {
    const { own, models } = this.ofCredential(credential)
    const limited = [...models].filter(([, { troubles }]) => troubles.length > 0)
    const over = [...models].filter(([, { troubles }]) => troubles.length === 0)
    over.sort(([, one], [, other]) => other.clearedAt - one.clearedAt)
    const known: Known = { own, models: [...limited, ...over.slice(0, mostCleared)] }
    return { ...row, health: { ...row.health, known } }
  }

  #modelsOf(credential: LiveCredential): Map<ModelFamily, Findings> {
    const known = this.#models.get(credential)
    if (known) return known
    const models = new Map<ModelFamily, Findings>()
    this.#models.set(credential, models)
    return models
  }
}

/** The findings that a row keeps. */
export function findingsIn({ generation, health, scoped }: CredentialState): CredentialFindings {
  const models = new Map(health.known?.models ?? [])
  for (const [model, limit] of scoped) models.set(model, observed(models.get(model) ?? noFindings, limit))
  return { generation, own: ownFindings(health), models }
}

/** The findings about the gate itself that its kept health has. */
export function ownFindings(health: KeptHealth): Findings {
  return observed(health.known?.own ?? noFindings, bare(health))
}

/** The health without what is known beside it. */
export function bare({ known: _known, ...health }: KeptHealth): Health {
  return health
}

/** The health of a gate in which `findings` are known now, while a probe of our own may be under way. */
export function withFindings(now: Health, findings: Findings): Health {
  const after = healthOf(findings)
  if (now.state !== 'probing') return isEqual(now, after) ? now : after
  if (isEqual(now.was, after)) return now
  // Another replica's test is settled by what it says.
  if (now.lease === 0) return after
  return after.state === 'cooling' || after.state === 'suspect' ? { ...now, was: after } : after
}

function isEqual(one: Health, other: Health): boolean {
  return Object.entries(other).every(([field, value]) => one[field as keyof Health] === value)
}
