import OpenAI from 'openai'

/** What an agent met: answers and errors, in order of time. */
export interface Seen {
  answers: number
  readonly errors: string[]
  slowestMs: number
}

/** An agent that asks again and again through the official SDK, without retries of its own, until it is stopped. */
export class Agent {
  readonly seen: Seen = { answers: 0, errors: [], slowestMs: 0 }
  readonly #client: OpenAI
  #stopped = false
  #over: Promise<void> = Promise.resolve()

  constructor(baseURL: string, apiKey: string) {
    this.#client = new OpenAI({ baseURL, apiKey, maxRetries: 0 })
  }

  start(everyMs: number): void {
    this.#over = this.#run(everyMs)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#over
  }

  async #run(everyMs: number): Promise<void> {
    while (!this.#stopped) {
      await this.#ask()
      await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
  }

  async #ask(): Promise<void> {
    const started = performance.now()
    try {
      const messages = [{ role: 'user' as const, content: 'hello' }]
      await this.#client.chat.completions.create({ model: 'gpt-5', messages })
      this.seen.answers++
      this.seen.slowestMs = Math.max(this.seen.slowestMs, performance.now() - started)
    } catch (error) {
      this.seen.errors.push(error instanceof Error ? error.message : String(error))
    }
  }
}
