import pg from 'pg'
import { StoreError } from '../fault.ts'
import type { Watcher } from '../shared.ts'
import { type ConnectionOptions, clientConfig } from './connections.ts'
import { faultOf } from './fault.ts'
import { channel } from './feed.ts'

interface WatchOptions extends ConnectionOptions {
  readonly origin: string
  /** Sends the text over the channel, on another connection. */
  readonly notify: (text: string) => Promise<void>
}

const firstRetryMs = 100
const longestRetryMs = 2_000
/** How often the connection is asked whether it is still one. */
const pulseMs = 5_000
const echoMs = 2_000

const why =
  'notifications do not arrive: a connection pooler in transaction mode seems to stand in front of the database; connect to the database itself, or use session mode'

/** A connection that hears of other replicas' batches. It is made again when it is lost, until `close`. */
export class Watch {
  readonly #options: WatchOptions
  readonly #listener: Watcher
  #client: pg.Client | null = null
  #state: 'new' | 'away' | 'back' | 'deaf' = 'new'
  #retryMs = firstRetryMs
  #cancel: () => void = () => {}
  #echo: (() => void) | null = null
  #closed = false

  constructor(options: WatchOptions, listener: Watcher) {
    this.#options = options
    this.#listener = listener
    void this.#connect()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancel()
    const client = this.#client
    this.#client = null
    await client?.end().catch(() => {})
  }

  async #connect(): Promise<void> {
    const client = new pg.Client(clientConfig(this.#options))
    this.#client = client
    client.on('error', (error) => this.#lost(client, error))
    client.on('end', () => this.#lost(client, new Error('the connection was closed')))
    client.on('notification', ({ payload = '' }) => this.#heard(payload))
    try {
      await client.connect()
      await client.query(`listen ${channel}`)
      if (this.#client !== client) return
      this.#retryMs = firstRetryMs
      await this.#test(client)
      this.#pulse(client)
    } catch (error) {
      this.#lost(client, error)
    }
  }

  /** Only what another connection says and this one hears proves that it hears. */
  async #test(client: pg.Client): Promise<void> {
    const { clock, origin, notify } = this.#options
    await new Promise<void>((resolve, reject) => {
      const cancel = clock.after(echoMs, () => {
        this.#echo = null
        if (this.#client === client) this.#become('deaf', () => this.#listener.deaf(why))
        resolve()
      })
      this.#echo = () => {
        cancel()
        this.#echo = null
        if (this.#client === client) this.#become('back', () => this.#listener.back())
        resolve()
      }
      notify(`0 ${origin}`).catch((error: unknown) => {
        cancel()
        this.#echo = null
        reject(error)
      })
    })
  }

  #heard(payload: string): void {
    const [number = '', origin] = payload.split(' ')
    if (origin === this.#options.origin) {
      if (number === '0') this.#echo?.()
      return
    }
    if (this.#state === 'deaf') this.#become('back', () => this.#listener.back())
    if (number !== '0') this.#listener.changed(Number(number))
  }

  /** A connection that was cut without a word is found by asking. */
  #pulse(client: pg.Client): void {
    const { clock, statementMs, address } = this.#options
    if (this.#client !== client) return
    this.#cancel = clock.after(pulseMs, () => {
      const late = new StoreError('unavailable', `${address.label} does not answer within ${statementMs} ms`)
      const cancel = clock.after(statementMs, () => this.#lost(client, late))
      client
        .query('select 1')
        .finally(cancel)
        .then(
          () => this.#pulse(client),
          (error: unknown) => this.#lost(client, error),
        )
    })
  }

  #lost(client: pg.Client, error: unknown): void {
    if (this.#client !== client || this.#closed) return
    this.#client = null
    this.#cancel()
    client.end().catch(() => {})
    const fault = faultOf(error, this.#options.address.label)
    const told = fault instanceof StoreError ? fault : new StoreError('unavailable', fault.message, { cause: error })
    this.#become('away', () => this.#listener.away(told))
    this.#cancel = this.#options.clock.after(this.#retryMs, () => void this.#connect())
    this.#retryMs = Math.min(this.#retryMs * 2, longestRetryMs)
  }

  #become(state: 'away' | 'back' | 'deaf', tell: () => void): void {
    if (this.#state === state || this.#closed) return
    this.#state = state
    tell()
  }
}
