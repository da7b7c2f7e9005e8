import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** Sets one series of a metric during a scrape. */
export type Sample = (labels: Record<string, string>, value: number) => void

/** What is exposed: plain numbers, which are read when somebody asks, and histograms. */
export class Exposition {
  readonly #registry = new Registry()
  #isRead = false

  get contentType(): string {
    return this.#registry.contentType
  }

  /** Node's own are counted from the first scrape on: measuring its loop alone takes a hundred wake-ups a second. */
  render(): Promise<string> {
    if (!this.#isRead) collectDefaultMetrics({ register: this.#registry })
    this.#isRead = true
    return this.#registry.metrics()
  }

  counter(name: string, help: string, labelNames: readonly string[], read: (sample: Sample) => void): void {
    new Counter({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset()
        read((labels, value) => this.inc(labels, value))
      },
    })
  }

  gauge(name: string, help: string, labelNames: readonly string[], read: (sample: Sample) => void): void {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        // Only what is set now is shown: removed pools and members leave nothing behind.
        this.reset()
        if (labelNames.length === 0) this.remove()
        read((labels, value) => this.set(labels, value))
      },
    })
  }

  histogram(name: string, help: string, buckets: number[], labelNames: readonly string[] = []): Histogram {
    return new Histogram({ name, help, buckets, labelNames, registers: [this.#registry] })
  }
}
