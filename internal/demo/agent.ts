/** What an agent met: answers and errors, in order of time. */
export interface Seen {
  answers: number
  readonly errors: string[]
  slowestMs: number
}

/** Asks once; rejects with the sentence that an agent would show. */
type Ask = () => Promise<void>

/** An agent that asks again and again, without retries of its own, until it is stopped. */
export class Agent {
  readonly seen: Seen = { answers: 0, errors: [], slowestMs: 0 }
  readonly #ask: Ask
  #stopped = false
  #over: Promise<void> = Promise.resolve()

  private constructor(ask: Ask) {
    this.#ask = ask
  }

  /** An agent on OpenAI's official SDK where that is installed, and on plain `fetch` elsewhere; `says` which. */
  static async at(baseURL: string, apiKey: string): Promise<{ agent: Agent; says: string }> {
    const sdk = await import('openai').catch(() => null)
    if (sdk === null)
      return { agent: new Agent(byFetch(baseURL, apiKey)), says: "fetch, because OpenAI's SDK is not installed here" }
    const client = new sdk.default({ baseURL, apiKey, maxRetries: 0 })
    const ask = async () => void (await client.chat.completions.create({ model, messages }))
    return { agent: new Agent(ask), says: "OpenAI's SDK" }
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
      await this.#once()
      await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
  }

  async #once(): Promise<void> {
    const started = performance.now()
    try {
      await this.#ask()
      this.seen.answers++
      this.seen.slowestMs = Math.max(this.seen.slowestMs, performance.now() - started)
    } catch (error) {
      this.seen.errors.push(error instanceof Error ? error.message : String(error))
    }
  }
}

const model = 'gpt-5'
const messages = [{ role: 'user' as const, content: 'hello' }]

function byFetch(baseURL: string, apiKey: string): Ask {
  return async () => {
    const response = await fetch(`${baseURL}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages }),
    })
    const body = (await response.json()) as { error?: { message?: string } }
    if (!response.ok) throw new Error(`${response.status} ${body.error?.message ?? response.statusText}`)
  }
}
