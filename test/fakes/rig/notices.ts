import { type Clock, FakeClock } from '../../../internal/clock/clock.ts'
import { type Announcement, type DomainEvent, eventBus } from '../../../internal/events/events.ts'
import { silentLogger } from '../../../internal/log/log.ts'
import {
  type Channel,
  ChannelError,
  type Fault,
  type Notice,
  type Remark,
} from '../../../internal/notify/incident/notice.ts'
import { createNotifier } from '../../../internal/notify/notifier.ts'
import type { Notifier, NotifierDeps } from '../../../internal/notify/port.ts'
import type { Batch, Store } from '../../../internal/store/store.ts'
import { noon, sample } from '../events.ts'
import { MemoryStore } from './store.ts'

interface Message {
  readonly id: string
  text: string
  readonly texts: string[]
  readonly replyTo: string | null
  buttons: number
  readonly isSilent: boolean
}

/** A chat as a person would see it. */
export class Chat implements Channel {
  readonly name: string
  readonly kind: string
  readonly mutable = true
  readonly messages: Message[] = []
  /** How many calls came, the failed ones included. */
  calls = 0
  /** While set, every call fails so. */
  fault: Fault | null = null
  /** While set, it takes edits but no replies. */
  refusesReplies = false
  /** While set, every call waits for it. */
  gate: Promise<void> | null = null

  constructor(name = 'telegram:42') {
    this.name = name
    this.kind = name.split(':')[0] ?? name
  }

  async send(notice: Notice, signal: AbortSignal): Promise<{ messageId: string }> {
    await this.#call(signal)
    return this.#post(notice, null)
  }

  async edit(messageId: string, notice: Notice, signal: AbortSignal): Promise<void> {
    await this.#call(signal)
    const message = this.messages.find(({ id }) => id === messageId)
    if (!message) throw new ChannelError('message to edit not found', { kind: 'permanent' })
    message.text = notice.text
    message.texts.push(notice.text)
    message.buttons = notice.remedies.length
  }

  async reply(messageId: string, notice: Notice, signal: AbortSignal): Promise<void> {
    await this.#call(signal)
    if (this.refusesReplies) throw new ChannelError('not now', { kind: 'transient' })
    this.#post(notice, messageId)
  }

  async remark({ text, isSilent }: Remark, signal: AbortSignal): Promise<void> {
    await this.#call(signal)
    this.messages.push({
      id: String(this.messages.length + 1),
      text,
      texts: [text],
      replyTo: null,
      buttons: 0,
      isSilent,
    })
  }

  /** How many messages made a sound. */
  get buzzes(): number {
    return this.messages.filter(({ isSilent }) => !isSilent).length
  }

  get texts(): string[] {
    return this.messages.map(({ text }) => text)
  }

  async #call(signal: AbortSignal): Promise<void> {
    this.calls++
    if (this.gate) await Promise.race([this.gate, new Promise((_, reject) => signal.addEventListener('abort', reject))])
    if (this.fault) throw new ChannelError('no', this.fault)
  }

  #post(notice: Notice, replyTo: string | null): { messageId: string } {
    const id = String(this.messages.length + 1)
    const { text, isSilent } = notice
    this.messages.push({ id, text, texts: [text], replyTo, buttons: notice.remedies.length, isSilent })
    return { messageId: id }
  }
}

const log = silentLogger

interface Circumstances {
  readonly clock?: FakeClock
  readonly store?: MemoryStore
  readonly chats?: readonly Chat[]
  readonly poolNow?: NotifierDeps['poolNow']
  readonly costNow?: NotifierDeps['costNow']
  readonly failover?: 'off' | 'silent' | 'on'
}

/** One process: a bus and a notifier over a store that outlives it. */
export class Life {
  readonly clock: FakeClock
  readonly store: MemoryStore
  readonly chats: readonly Chat[]
  readonly bus = eventBus((error) => {
    throw error
  })
  readonly notifier: Notifier
  #alive = true
  #commitsLeft = Number.POSITIVE_INFINITY

  constructor({ clock, store, chats, poolNow, costNow, failover = 'silent' }: Circumstances = {}) {
    this.clock = clock ?? new FakeClock(noon)
    this.store = store ?? new MemoryStore()
    this.chats = chats ?? [new Chat()]
    this.notifier = createNotifier({
      store: this.#mortalStore(),
      bus: this.bus,
      clock: this.#mortalClock(),
      log,
      settings: { dedupeMs: 30_000, failover },
      host: 'node7',
      channels: this.chats,
      timeZone: 'UTC',
      ...(poolNow ? { poolNow } : {}),
      ...(costNow ? { costNow } : {}),
    })
  }

  static async begin(circumstances: Circumstances = {}): Promise<Life> {
    const life = new Life(circumstances)
    await life.notifier.start()
    return life
  }

  get chat(): Chat {
    return this.chats[0]!
  }

  /** Writes the audit row and announces it, as the engine does. */
  async happen(event: DomainEvent, suppressed = 0): Promise<void> {
    this.bus.publish(await this.write(event, suppressed))
    await this.clock.advance(0)
  }

  /** Writes the audit row only: the process dies before it announces. */
  async write(event: DomainEvent, suppressed = 0): Promise<Announcement> {
    const [seq = null] = await this.store.commit({ writes: [], audit: [{ event, suppressed }] })
    return { event, seq, suppressed }
  }

  /** The next process on the same store; this one is gone without a word. */
  async kill({ chats }: { chats?: readonly Chat[] } = {}): Promise<Life> {
    this.#alive = false
    return Life.begin({ clock: this.clock, store: this.store, chats: chats ?? this.chats })
  }

  #mortalClock(): Clock {
    const { clock } = this
    const after = (delayMs: number, run: () => void) => clock.after(delayMs, () => this.#alive && run())
    return { now: () => clock.now(), mono: () => clock.mono(), after }
  }

  /** The notifier's commit of that number (from 0) and all later ones never happen. */
  dieAtCommit(commit: number): void {
    this.#commitsLeft = commit
  }

  #mortalStore(): Store {
    const commit = (batch: Batch) => {
      if (--this.#commitsLeft < 0) this.#alive = false
      return this.#alive ? this.store.commit(batch) : new Promise<number[]>(() => {})
    }
    return new Proxy<Store>(this.store, {
      get: (store, name) => (name === 'commit' ? commit : Reflect.get(store, name).bind(store)),
    })
  }
}

export const exhausted = (at = noon) => sample('pool_exhausted', { at, detail: { retryAt: at + 300_000 } })
export const work = (until: number) => ({ name: 'work', health: { state: 'cooling', until } })
export const recovered = (at: number) =>
  sample('pool_recovered', { at, to: 'work', detail: { exhaustedAt: noon, refused: 418 } })
export const failover = (at: number, to = 'personal') =>
  sample('cred_failover', { at, to, detail: { until: noon + 300_000 } })
