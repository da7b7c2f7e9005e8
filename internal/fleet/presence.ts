import type { Cancel, Clock } from '../clock/clock.ts'
import type { Logger } from '../log/log.ts'
import type { Replica, Shared } from '../store/store.ts'
import type { ReplicaStatus } from './port.ts'

const beatMs = 5_000
/** A replica that has not been seen for so long is gone. */
const aliveMs = 20_000

/** Says that this replica lives, and lists those that do. */
export class Presence {
  readonly #replicas: Shared['replicas']
  readonly #clock: Clock
  readonly #log: Logger
  #self: Replica
  #cancel: Cancel = () => {}
  #stopped = false

  constructor(parts: { replicas: Shared['replicas']; clock: Clock; log: Logger; self: Replica }) {
    this.#replicas = parts.replicas
    this.#clock = parts.clock
    this.#log = parts.log
    this.#self = parts.self
  }

  async start(): Promise<void> {
    await this.#beat()
    if (!this.#stopped) this.#cancel = this.#clock.after(beatMs, () => void this.start())
  }

  async drain(): Promise<void> {
    this.#self = { ...this.#self, draining: true }
    await this.#beat()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    await this.#replicas.leave(this.#self.id).catch(() => {})
  }

  async list(): Promise<readonly ReplicaStatus[]> {
    const living = await this.#replicas.list(aliveMs)
    return living
      .map(({ name, version, startedAt, seenAt, draining }) => ({ name, version, startedAt, seenAt, draining }))
      .sort((one, other) => (one.name < other.name ? -1 : 1))
  }

  async #beat(): Promise<void> {
    try {
      await this.#replicas.beat(this.#self)
    } catch (error) {
      this.#log.debug({ error }, 'the other replicas could not be told that this one lives')
    }
  }
}
