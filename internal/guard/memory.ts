import type { Details, EventKind } from '../events/events.ts'
import type { GuardDeps, GuardSignal } from './context.ts'
import { recent } from './decide/rate.ts'

interface LastRecovery {
  readonly at: number
  readonly result: string
  readonly reason: string | null
}

interface Remembered {
  /** Starts of workers and recoveries of hot paths, by name. */
  readonly starts: Record<string, readonly number[]>
  readonly recoveries: Record<string, readonly number[]>
  readonly last: Record<string, LastRecovery>
  /** Workers that a recovery has stopped and nobody started since. */
  readonly stopped: Record<string, number>
  /** Mountpoints that a recovery has unmounted and nobody mounted since, by hot path. */
  readonly unmounted: Record<string, string>
  /** The refusal that was told last, by worker and hot path. */
  readonly refusals: Record<string, string>
  /** Incidents that were told and are not over, by kind and name. */
  readonly open: Record<string, { readonly at: number; readonly normal?: number }>
}

const sections = ['starts', 'recoveries', 'last', 'stopped', 'unmounted', 'refusals', 'open'] as const

/**
 * What the guard must know after a restart: what it did within the hour, what it stopped, and what it has told. An action is
 * remembered durably before it is done.
 */
export class Memory {
  readonly #parts: Pick<GuardDeps, 'clock' | 'recall' | 'remember' | 'tell'>
  #known: Remembered = empty()
  #loading: Promise<void> | null = null

  constructor(parts: Pick<GuardDeps, 'clock' | 'recall' | 'remember' | 'tell'>) {
    this.#parts = parts
  }

  /** Resolves when what was remembered is known; rejects while the store does not say. */
  ready(): Promise<void> {
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = null
      throw error
    })
    return this.#loading
  }

  /** What another process remembers meanwhile is read when it is needed again. */
  forget(): void {
    this.#loading = null
  }

  actions(of: 'starts' | 'recoveries', name: string): readonly number[] {
    return this.#known[of][name] ?? []
  }

  /** Notes that the action is about to be done; resolves when that is durable. */
  async begin(of: 'starts' | 'recoveries', name: string): Promise<void> {
    const now = this.#parts.clock.now()
    this.#known[of][name] = [...recent(this.actions(of, name), now), now]
    await this.#parts.remember(this.#text())
  }

  get last(): Readonly<Record<string, LastRecovery>> {
    return this.#known.last
  }

  isStopped(worker: string): boolean {
    return worker in this.#known.stopped
  }

  async stopping(worker: string): Promise<void> {
    this.#known.stopped[worker] = this.#parts.clock.now()
    await this.#parts.remember(this.#text())
  }

  /** The worker runs again, or somebody else saw to it. */
  resumed(worker: string): void {
    if (!this.isStopped(worker)) return
    delete this.#known.stopped[worker]
    this.#later()
  }

  /** The mountpoint that is bare because of us: what can be read there is not what work needs. */
  unmounted(name: string): string | null {
    return this.#known.unmounted[name] ?? null
  }

  /** Notes that the mountpoint is about to be bare; resolves when that is durable. */
  async unmounting(name: string, mountpoint: string): Promise<void> {
    this.#known.unmounted[name] = mountpoint
    await this.#parts.remember(this.#text())
  }

  mounted(name: string): void {
    if (this.unmounted(name) === null) return
    delete this.#known.unmounted[name]
    this.#later()
  }

  /** Whether the refusal is another than the one that was told last; it counts as told then. */
  isNews(of: string, reason: string | null): boolean {
    if ((this.#known.refusals[of] ?? null) === reason) return false
    if (reason === null) delete this.#known.refusals[of]
    else this.#known.refusals[of] = reason
    return reason !== null
  }

  opened(kind: string, name: string): { readonly at: number; readonly normal?: number } | null {
    return this.#known.open[`${kind}:${name}`] ?? null
  }

  open(kind: string, name: string, normal?: number): void {
    const at = this.#parts.clock.now()
    this.#known.open[`${kind}:${name}`] = { at, ...(normal === undefined ? {} : { normal }) }
  }

  close(kind: string, name: string): void {
    delete this.#known.open[`${kind}:${name}`]
  }

  recovered(name: string, result: string, reason: string | null): void {
    this.#known.last[name] = { at: this.#parts.clock.now(), result, reason }
  }

  /** Tells it, with what is remembered in the same transaction. */
  tell<K extends EventKind>(signal: GuardSignal<K> & { readonly detail: Details[K] }): void {
    this.#parts.tell(signal, this.#text())
  }

  #later(): void {
    // Nothing depends on it at once: the next action or signal carries it, too.
    this.#parts.remember(this.#text()).catch(() => {})
  }

  #text(): string {
    return JSON.stringify(this.#known)
  }

  async #load(): Promise<void> {
    const text = await this.#parts.recall()
    if (text === null) return
    try {
      const parsed: unknown = JSON.parse(text)
      if (typeof parsed !== 'object' || parsed === null) return
      const known = parsed as Partial<Remembered>
      const found = sections.map((section) => [section, { ...known[section] }])
      this.#known = Object.fromEntries(found) as Remembered
    } catch {
      // A row that cannot be read protects nothing.
    }
  }
}

function empty(): Remembered {
  return { starts: {}, recoveries: {}, last: {}, stopped: {}, unmounted: {}, refusals: {}, open: {} }
}
