import type { GuardSettings } from '../../ops/ops.ts'
import type { GuardDeps } from '../context.ts'
import { type Probed, Prober } from './prober.ts'

type HotPath = GuardSettings['hotPaths'][string]

/** A command that prints paths may take as long as this. */
const listMs = 10_000
const mostPaths = 10

/** The paths that work needs, and whether they can be read. */
export class Needed {
  readonly #system: GuardDeps['system']
  readonly #prober: Prober

  constructor({ system, clock }: Pick<GuardDeps, 'system' | 'clock'>) {
    this.#system = system
    this.#prober = new Prober(system, clock)
  }

  /** Those of the next jobs; a command that does not say which counts as a path that fails. */
  async next({ path, pathsFrom, probeMs }: HotPath): Promise<readonly Probed[]> {
    if (path !== null) return [await this.#prober.probe(path, probeMs)]
    const listed = pathsFrom && (await this.#listed(pathsFrom))
    if (!listed) return [{ path: pathsFrom?.join(' ') ?? '', state: 'failing', ms: 0 }]
    return Promise.all(listed.slice(0, mostPaths).map((each) => this.#prober.probe(each, probeMs)))
  }

  /** Those that running work uses, none where nobody can be asked; null: whoever was asked does not say. */
  async running({ busy, probeMs }: HotPath): Promise<readonly Probed[] | null> {
    if (busy === null) return []
    const paths = await this.#listed(busy)
    return paths && Promise.all(paths.map((path) => this.#prober.probe(path, probeMs)))
  }

  /** The absolute paths that a command prints; null when it fails. */
  async #listed(words: readonly [string, ...string[]]): Promise<readonly string[] | null> {
    const { code, output } = await this.#system.command(words, listMs)
    if (code !== 0) return null
    return output.split('\n').filter((line) => line.startsWith('/') && !/(^|\/)\.\.?(\/|$)/.test(line))
  }
}
