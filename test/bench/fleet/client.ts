import { Agent, request } from 'node:http'
import type { Ground } from './ground.ts'
import type { Replica } from './replica.ts'

/** What became of a request; 0: the connection broke. */
export function ask(ground: Ground, replica: Replica, pool: string, agent?: Agent): Promise<number> {
  const body = JSON.stringify({ model: 'gpt-5', messages: [] })
  const headers = { authorization: `Bearer ${ground.key}`, 'content-type': 'application/json' }
  const where = { port: replica.port, host: '127.0.0.1', path: `/${pool}/v1/chat/completions` }
  return new Promise((resolve) => {
    const sent = request({ ...where, ...(agent ? { agent } : {}), method: 'POST', headers }, (answer) => {
      answer.resume()
      answer.on('end', () => resolve(answer.statusCode ?? 0))
      answer.on('error', () => resolve(0))
    })
    sent.on('error', () => resolve(0))
    sent.end(body)
  })
}

/** Asks the replicas in turn, as a load balancer that looks at `/readyz` every 100 ms. */
export class Load {
  sent = 0
  /** Requests that were not answered with 200, by replica and status. */
  readonly failed: string[] = []
  readonly #ground: Ground
  readonly #agent = new Agent({ keepAlive: true })
  readonly #ready = new Set<Replica>()
  readonly #running: Promise<void>[] = []
  #next = 0
  #stopped = false

  constructor(ground: Ground) {
    this.#ground = ground
  }

  async start(clients = 4): Promise<this> {
    await this.#look()
    this.#running.push(this.#watch())
    for (let client = 0; client < clients; client++) this.#running.push(this.#walk())
    return this
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#running)
    this.#agent.destroy()
  }

  async #watch(): Promise<void> {
    while (!this.#stopped) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      await this.#look()
    }
  }

  async #look(): Promise<void> {
    await Promise.all(
      this.#ground.replicas.map(async (replica) => {
        if (await replica.isReady()) this.#ready.add(replica)
        else this.#ready.delete(replica)
      }),
    )
  }

  async #walk(): Promise<void> {
    while (!this.#stopped) {
      const ready = [...this.#ready]
      const replica = ready[this.#next++ % ready.length]
      if (replica) {
        const status = await ask(this.#ground, replica, 'busy', this.#agent)
        this.sent++
        if (status !== 200) this.failed.push(`${replica.name} ${status}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}
