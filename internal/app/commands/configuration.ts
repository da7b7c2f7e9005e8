import { formatProblems, type LoadOptions, loadConfig } from '../../config/config.ts'
import { Refusal } from '../../pool/pool.ts'

/** The configuration; refuses with every problem. */
export function load(options: LoadOptions) {
  const loaded = loadConfig(options)
  if (loaded.ok) return loaded
  const count = loaded.problems.length === 1 ? 'a problem' : `${loaded.problems.length} problems`
  throw new Refusal('failed', `the configuration has ${count}:\n${formatProblems(loaded.problems)}`)
}
