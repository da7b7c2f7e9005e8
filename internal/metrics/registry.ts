import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client'
import type { Buckets } from './buckets.ts'

/** Sets one series of a metric during a scrape. */
export type Sample = (labels: Record<string, string>, value: number) => void

/** Shows one series of a histogram during a scrape. */
export type Series = (labels: Record<string, string>, buckets: Buckets) => void

/** What is exposed: plain numbers, which are read when somebody asks. */
export class Exposition {
  readonly #registry = new Registry()

  constructor() {
    collectDefaultMetrics({ register: this.#registry })
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  render(): Promise<string> {
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

  /** prom-client's own histogram is fed as things happen and takes a microsecond each time: this one only reads. */
  histogram(name: string, help: string, read: (series: Series) => void): void {
    const shown = {
      name,
      get() {
        const values: unknown[] = []
        read((labels, buckets) => values.push(...buckets.samples(name, labels)))
        return Promise.resolve({ name, help, type: 'histogram', values, aggregator: 'sum' })
      },
    }
    this.#registry.registerMetric(shown as unknown as Metric)
  }
}
