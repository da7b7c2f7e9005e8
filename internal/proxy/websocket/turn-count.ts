import { tokensTold } from '../../dialect/dialect.ts'
import type { Told } from '../attempt/answer-count.ts'
import { UsageFinder } from '../attempt/told-usage.ts'
import type { Found } from './frames.ts'

/** How much of a message is looked at for its type, in bytes. */
const beginning = 128
const typeField = /"type"\s*:\s*"(response\.(?:created|completed|incomplete|done|failed)|error)"/

/** Counts the tokens of the turns of one WebSocket, from the messages of its server as they pass. */
export class TurnCount {
  readonly #done: (told: Told) => void
  /** Whether a turn has begun whose end has not come. */
  #isOpen = false

  /** `done` is called at the end of each turn that was not refused. */
  constructor(done: (told: Told) => void) {
    this.#done = done
  }

  read(found: readonly Found[]): void {
    for (const one of found) if (one.kind === 'text') this.#message(one.parts)
  }

  /** No more comes: a turn that is under way was cut. */
  end(): void {
    if (this.#isOpen) this.#done({ tokens: null, model: null })
    this.#isOpen = false
  }

  #message(parts: readonly Buffer[]): void {
    const type = typeField.exec(parts[0]?.toString('latin1', 0, beginning) ?? '')?.[1]
    if (type === undefined) return
    this.#isOpen = type === 'response.created'
    if (this.#isOpen || type === 'response.failed' || type === 'error') return
    const finder = new UsageFinder(true)
    for (const part of parts) finder.take(part)
    const { told, model } = finder
    this.#done({ tokens: told && tokensTold(told, true), model })
  }
}
