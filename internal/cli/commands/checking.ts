import type { Command } from 'commander'
import { Refusal } from '../../ops/client.ts'
import type { CredentialShape, Ops } from '../../ops/ops.ts'
import type { Cli } from '../command.ts'
import { checkText, identityText } from '../credview.ts'

type Source = Parameters<Ops['credAdd']>[0]['source']

/** Puts the new secret in place, and says whose it is and whether its upstream accepts it. */
export async function replaced(
  cli: Cli,
  command: Command,
  given: {
    name: string
    options: { readonly check: boolean; readonly json?: true }
    from: { secret: string } | { source: Source }
  },
): Promise<void> {
  const { name, options, from } = given
  await cli.withOps(command, async (ops) => {
    const { warnings } = await ops.credReplace({ name, ...from })
    const one = await ops.credShow({ name })
    if (!options.json) cli.screen.print(`${name} has a new secret${identified(one)}`)
    warn(cli, warnings)
    await checked(cli, ops, { name, options, problem: one.problem })
  })
}

/** Asks the upstream once; whatever it says, the credential stays as it was given. */
export async function checked(
  cli: Cli,
  ops: Ops,
  given: {
    name: string
    options: { readonly check: boolean; readonly json?: true }
    problem: string | null
  },
): Promise<void> {
  const { name, options, problem } = given
  const found = options.check && problem === null ? await asked(ops, name) : null
  if (found !== null) {
    const text = checkText(found)
    cli.screen.note(found.finding === 'cleared' ? text : `warning: ${text}`)
  }
  if (options.json) cli.screen.json({ ...(await ops.credShow({ name })), check: found })
}

/** A credential without an upstream of its own is asked about when a pool gives it one. */
async function asked(ops: Ops, name: string) {
  try {
    return await ops.credTest({ name, refresh: false })
  } catch (error) {
    if (error instanceof Refusal && error.code === 'conflict') return null
    throw error
  }
}

/** Whose credential it is, to stand behind a sentence about it. */
export function identified(one: CredentialShape): string {
  const { fingerprint, ending } = one.identity
  if (fingerprint !== null) return `: ${ending === null ? '' : `key …${ending}, `}fingerprint ${fingerprint}`
  const text = identityText(one.identity)
  return text === null ? '' : `: ${text}`
}

/** Says each warning. */
export function warn(cli: Cli, warnings: readonly string[]): void {
  for (const warning of warnings) cli.screen.note(`warning: ${warning}`)
}
