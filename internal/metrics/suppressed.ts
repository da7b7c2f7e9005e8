import { Tally } from './tally.ts'

/**
 * Signals that were left out, by kind. They are counted when it happens, so that the number moves during a storm; the
 * announcement that carries them later adds only what was not counted yet.
 */
export class Suppressed {
  readonly total = new Tally()
  readonly #notCarried = new Map<string, number>()

  now(kind: string): void {
    this.total.add(kind)
    this.#notCarried.set(kind, (this.#notCarried.get(kind) ?? 0) + 1)
  }

  carried(kind: string, count: number): void {
    const counted = Math.min(count, this.#notCarried.get(kind) ?? 0)
    this.#notCarried.set(kind, (this.#notCarried.get(kind) ?? 0) - counted)
    if (count > counted) this.total.add(kind, count - counted)
  }
}
