import { chmodSync, statSync } from 'node:fs'
import { formatProblems, type Loaded, type LoadOptions, loadConfig, type Problem } from '../../config/config.ts'
import { Refusal } from '../../pool/pool.ts'

/** The configuration; refuses with every problem. */
export function load(options: LoadOptions) {
  const loaded = loadConfig(options)
  if (loaded.ok) return loaded
  throw refusal(loaded.problems)
}

/**
 * The warnings about the files that the configuration names: what others can use is taken from them, where it is ours.
 * Refuses a start with every file that it needs and that is missing or not what it has to be.
 */
export function prepareReferences({ references }: Loaded & { ok: true }): readonly string[] {
  const { problems, open } = references()
  // A client of logins is needed when a token is refreshed, and by those logins only.
  const isNeeded = ({ key }: Problem) => !key.startsWith('oauth.')
  const needed = problems.filter(isNeeded)
  if (needed.length > 0) throw refusal(needed)
  const later = problems.filter((problem) => !isNeeded(problem)).map((problem) => formatProblems([problem]))
  return [...later, ...open.map(closed)]
}

/** Takes the file from others; one of another owner, shared with a group on purpose perhaps, is used as it is. */
function closed({ key, file, mode, place }: ReturnType<(Loaded & { ok: true })['references']>['open'][number]): string {
  try {
    if (statSync(file).uid !== process.getuid?.()) return formatProblems([place])
    chmodSync(file, 0o600)
    return `${key}: ${file} was open to other users (mode ${mode.toString(8)}); it is 600 now`
  } catch {
    return formatProblems([place])
  }
}

/** A restart mends none of these, and a service does not try (exit code 2). */
function refusal(problems: readonly Problem[]): Refusal {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
  return new Refusal('invalid', `the configuration has ${count}:\n${formatProblems(problems)}`)
}
