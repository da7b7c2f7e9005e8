import type { Command } from 'commander'
import type { TestShape } from '../../ops/ops.ts'
import { type Cli, leaf, listing } from '../command.ts'
import { facts, identityText, sourceText, testText } from '../credview.ts'
import { exitCodes } from '../exit.ts'
import { printListing } from '../view/listing.ts'
import { healthInk, healthText } from '../view/poolview.ts'
import { loginCommands } from './login.ts'
import { secretCommands } from './secrets.ts'

/** `cred …`: the secrets behind the members. */
export function credCommands(program: Command, cli: Cli): void {
  const cred = program.command('cred').description('credentials: the secrets behind the members')
  secretCommands(cred, cli)
  loginCommands(cred, cli)
  see(cred, cli)
  switches(cred, cli)
}

function see(cred: Command, cli: Cli): void {
  const { screen } = cli
  listing(leaf(cred, 'list', 'all credentials')).action((options: { json?: true }, command: Command) =>
    cli.withOps(command, async (ops) => {
      const all = await ops.credList({})
      if (options.json) return screen.json(all)
      if (all.length === 0) return screen.note('there are no credentials; spillway cred add makes one')
      const now = cli.io.port.now()
      printListing(
        screen,
        ['NAME', 'HEALTH', 'POOLS', 'PROVIDER', 'IDENTITY', 'SOURCE'],
        all.map((one) => ({
          name: one.name,
          state: { text: healthText(one.health, now), ink: healthInk(one.health) },
          facts: [one.pools.join(', '), one.provider, identityText(one.identity) ?? '', sourceText(one.source)],
        })),
      )
    }),
  )
  listing(leaf(cred, 'show <name>', 'one credential, without its secret')).action(
    (name: string, options: { json?: true }, command: Command) =>
      cli.withOps(command, async (ops) => {
        const one = await ops.credShow({ name })
        if (options.json) return screen.json(one)
        for (const [label, text] of facts(one, cli.io.port.now())) screen.print(`${label.padEnd(11)} ${text}`)
      }),
  )
  listing(
    leaf(cred, 'test <name>', 'ask the upstream whether it accepts the credential; a login is refreshed for that'),
  ).action((name: string, options: { json?: true }, command: Command) =>
    cli.withOps(command, async (ops) => {
      const found = await ops.credTest({ name })
      if (options.json) screen.json(found)
      else screen.print(testText(found))
      cli.end(testCodes[found.finding])
    }),
  )
}

const testCodes: Readonly<Record<TestShape['finding'], number>> = {
  cleared: exitCodes.done,
  confirmed: exitCodes.needsPerson,
  inconclusive: exitCodes.failed,
}

function switches(cred: Command, cli: Cli): void {
  const { screen } = cli
  leaf(cred, 'enable <name>', 'let a disabled credential serve again, or try a lapsed login once more').action(
    (name: string, _options: object, command: Command) =>
      cli.withOps(command, async (ops) => {
        const { changed } = await ops.credEnable({ name })
        screen.print(changed ? `enabled ${name}` : `${name} is not disabled`)
      }),
  )
  leaf(cred, 'disable <name>', 'take a credential out of service in all its pools').action(
    (name: string, _options: object, command: Command) =>
      cli.withOps(command, async (ops) => {
        const { changed } = await ops.credDisable({ name })
        screen.print(changed ? `disabled ${name}` : `${name} is disabled already`)
      }),
  )
  leaf(cred, 'remove <name>', 'forget a credential and its secret')
    .option('--force', 'also when it is in a pool')
    .action((name: string, options: { force?: true }, command: Command) =>
      cli.withOps(command, async (ops) => {
        await ops.credRemove({ name, force: options.force ?? false })
        screen.print(`removed ${name}`)
      }),
    )
}
