import type { Clock } from '../../clock/clock.ts'
import type { Details, DomainEvent, EventKind } from '../../events/events.ts'
import { Dedupe } from '../../pool/pool.ts'
import type { AuditEntry, AuditRow, Snapshot, Write } from '../../store/store.ts'
import type { Journal } from './journal.ts'

const checkpointMs = 30_000

/** An event without its time, which `Signals` adds. */
export interface Signal<K extends EventKind> {
  readonly kind: K
  readonly pool?: string | null
  readonly from?: string | null
  readonly to?: string | null
  readonly reason?: DomainEvent['reason']
  readonly actor?: string
  readonly detail: Details[K]
}

/** Conditions that repeat by themselves and are deduplicated; every other event is an action and always gets its row. */
const repeating: ReadonlySet<EventKind> = new Set<EventKind>([
  'cred_failover',
  'pool_exhausted',
  'pool_runs_dry',
  'pool_lasts',
  'cred_cooled',
  'cred_suspect',
  'egress_blocked',
  'weak_storm',
  'host_down',
  'host_up',
  'keys_guessed',
])

/** Turns what happened into audit entries: identical signals within the window become one row and a count. */
export class Signals {
  readonly #dedupe: Dedupe
  readonly #journal: Journal
  readonly #clock: Clock
  readonly #onSuppressed: (kind: EventKind) => void
  #written = new Map<string, number>()
  #armed = false
  #spares = false

  constructor(parts: {
    journal: Journal
    clock: Clock
    windowMs: () => number
    onSuppressed: (kind: EventKind) => void
  }) {
    this.#journal = parts.journal
    this.#clock = parts.clock
    this.#dedupe = new Dedupe(parts.windowMs)
    this.#onSuppressed = parts.onSuppressed
  }

  /** Takes up the windows of a previous run from its newest audit rows and its checkpointed counts. */
  restore(rows: readonly AuditRow[], suppressed: Snapshot['suppressed']): void {
    for (const row of rows) this.#dedupe.restore(signalOf(row), row.at, 0)
    for (const { signal, count, at } of suppressed) {
      this.#dedupe.restore(signal, at, count)
      this.#written.set(signal, count)
    }
  }

  /** Others have told these. */
  heard(rows: readonly AuditRow[]): void {
    for (const row of rows) if (repeating.has(row.kind as EventKind)) this.#dedupe.heard(signalOf(row), row.at)
  }

  /** Whether counts stay in memory until further notice. */
  spare(isShort: boolean): void {
    this.#spares = isShort
    if (!isShort && this.#dedupe.pending().size > 0) this.#arm()
  }

  /** Records the writes together with the event that explains them; false when the event was only counted. */
  record<K extends EventKind>(writes: readonly Write[], signal: Signal<K>, repeats = 0): boolean {
    const entry = this.#entry(signal, repeats)
    this.#journal.record(entry ? [...writes, ...this.#forget(entry)] : writes, entry ? [entry] : [])
    return entry !== null
  }

  #entry<K extends EventKind>(signal: Signal<K>, repeats: number): AuditEntry | null {
    const event = {
      kind: signal.kind,
      at: this.#clock.now(),
      pool: signal.pool ?? null,
      from: signal.from ?? null,
      to: signal.to ?? null,
      reason: signal.reason ?? null,
      actor: signal.actor ?? 'spillway',
      detail: signal.detail,
    } as DomainEvent
    if (!repeating.has(signal.kind)) return { event, suppressed: repeats }
    const admission = this.#dedupe.admit(signalOf(event), event.at)
    if (admission.tell) return { event, suppressed: admission.suppressed + repeats }
    this.#onSuppressed(signal.kind)
    this.#arm()
    return null
  }

  #forget(entry: AuditEntry): readonly Write[] {
    const signal = signalOf(entry.event)
    return this.#written.delete(signal) ? [{ drop: 'suppressed', signal }] : []
  }

  #arm(): void {
    if (this.#armed) return
    this.#armed = true
    this.#clock.after(checkpointMs, () => {
      this.#armed = false
      this.#checkpoint()
    })
  }

  /** Writes the counts that changed, so that a crash loses at most 30 s of them. */
  #checkpoint(): void {
    if (this.#spares) return
    const writes: Write[] = []
    for (const [signal, count] of this.#dedupe.pending()) {
      if (this.#written.get(signal) === count) continue
      this.#written.set(signal, count)
      writes.push({ put: 'suppressed', signal, count, at: this.#clock.now() })
    }
    if (writes.length > 0) this.#journal.record(writes, [])
  }
}

/** Identical signals have the same kind, pool, from, to and reason, and the same model where they are about one. */
function signalOf(of: {
  detail?: object
  kind: string
  pool: string | null
  from: string | null
  to: string | null
  reason: string | null
}): string {
  const signal = [of.kind, of.pool, of.from, of.to, of.reason].map((part) => part ?? '').join('|')
  const model = of.detail && 'model' in of.detail && of.kind !== 'cred_cooled' ? of.detail.model : null
  return model ? `${signal}|${model}` : signal
}
