import type { Command } from 'commander'
import { providers, Refusal, shapes } from '../../ops/client.ts'
import type { Ops, TestShape } from '../../ops/ops.ts'
import { absolute, type Cli, leaf, listing } from '../command.ts'
import { facts, sourceText, testText } from '../credview.ts'
import { exitCodes } from '../exit.ts'
import { healthCell } from '../poolview.ts'
import { readSecret } from '../secret.ts'
import { relativeOr } from '../when.ts'
import { loginCommands } from './login.ts'

/** `cred …`: the secrets behind the members. */
export function credCommands(program: Command, cli: Cli): void {
  const cred = program.command('cred').description('credentials: the secrets behind the members')
  add(cred, cli)
  loginCommands(cred, cli)
  see(cred, cli)
  switches(cred, cli)
}

interface AddOptions {
  readonly provider: string
  readonly shape?: string
  readonly baseUrl?: string
  readonly domain?: string
  readonly header?: string
  readonly fromEnv?: string
  readonly fromFile?: string
  readonly fromCommand?: string
  readonly fileFormat?: string
  readonly tokenUrl?: string
  readonly clientId?: string
  readonly clientSecretFile?: string
  readonly scope?: string
}

type Source = Parameters<Ops['credAdd']>[0]['source']

function add(cred: Command, cli: Cli): void {
  leaf(cred, 'add <name>', 'add a credential; its secret is read from stdin (unseen on a terminal)')
    .requiredOption('--provider <provider>', `one of ${providers.join(', ')}`)
    .option('--shape <shape>', `of its API, where it offers several: ${shapes.join(', ')}`)
    .option('--base-url <url>', "where it is sent, instead of the provider's own")
    .option('--domain <domain>', 'credentials of one domain share their limits (an organisation, an account)')
    .option('--header <header>', 'the header that carries it (generic)')
    .option('--from-env <variable>', 'read it from this environment variable whenever it is needed')
    .option('--from-file <path>', 'read it from this file whenever it is needed')
    .option('--from-command <command>', 'read it from the output of this command whenever it is needed')
    .option(
      '--file-format <format>',
      'of the file: codex, claude, gemini, or json:access_token=PATH,refresh_token=PATH,…',
    )
    .option('--token-url <url>', "where the file's tokens are refreshed")
    .option('--client-id <id>', 'the OAuth client that refreshes them')
    .option('--client-secret-file <path>', "holds that client's secret")
    .option('--scope <scope>', 'what a new login asks for')
    .action(async (name: string, options: AddOptions, command: Command) => {
      const given = reference(cli, options)
      // The secret is read before anything is opened: nobody should hold the lock while a person types.
      const source: Source = given ?? { kind: 'vault', secret: await readSecret(cli.io, `secret of ${name}: `) }
      const { provider, shape, baseUrl, domain, header } = options
      await cli.withOps(command, async (ops) => {
        const made = await ops.credAdd({
          name,
          provider,
          source,
          ...(shape === undefined ? {} : { shape }),
          ...(baseUrl === undefined ? {} : { baseUrl }),
          ...(domain === undefined ? {} : { domain }),
          ...(header === undefined ? {} : { header }),
          ...refreshed(cli, options),
        })
        cli.screen.print(`added ${name} (${made.provider})`)
        if (made.problem !== null) cli.screen.note(`warning: ${made.problem}`)
      })
    })
}

/** The reference that was given instead of a secret; null for none. */
function reference(cli: Cli, { fromEnv, fromFile, fromCommand, fileFormat }: AddOptions): Source | null {
  const given: Source[] = []
  if (fileFormat !== undefined && fromFile === undefined)
    throw new Refusal('invalid', '--file-format is about a file', 'name it with --from-file')
  const format = fileFormat === undefined ? {} : { format: fileFormat }
  if (fromEnv !== undefined) given.push({ kind: 'env', variable: fromEnv })
  if (fromFile !== undefined) given.push({ kind: 'file', path: absolute(fromFile, cli.io.cwd), ...format })
  if (fromCommand !== undefined) given.push({ kind: 'command', command: fromCommand })
  if (given.length > 1)
    throw new Refusal('invalid', 'a secret has one source: --from-env, --from-file, --from-command, or stdin')
  return given[0] ?? null
}

/** How the tokens are refreshed, as far as it was said. */
function refreshed(cli: Cli, options: AddOptions): Pick<Parameters<Ops['credAdd']>[0], 'login'> {
  const { tokenUrl, clientId, clientSecretFile, scope } = options
  const login = {
    ...(tokenUrl === undefined ? {} : { tokenUrl }),
    ...(clientId === undefined ? {} : { clientId }),
    ...(clientSecretFile === undefined ? {} : { clientSecretFile: absolute(clientSecretFile, cli.io.cwd) }),
    ...(scope === undefined ? {} : { scope }),
  }
  return Object.keys(login).length === 0 ? {} : { login }
}

function see(cred: Command, cli: Cli): void {
  const { screen } = cli
  listing(leaf(cred, 'list', 'all credentials')).action((options: { json?: true }, command: Command) =>
    cli.withOps(command, async (ops) => {
      const all = await ops.credList({})
      if (options.json) return screen.json(all)
      if (all.length === 0) return screen.note('there are no credentials; spillway cred add makes one')
      const now = cli.io.port.now()
      screen.table(
        ['NAME', 'PROVIDER', 'HEALTH', 'REASON', 'UNTIL', 'SOURCE', 'POOLS'],
        all.map((one) => [
          one.name,
          one.provider,
          healthCell(one.health),
          one.health.reason ?? '-',
          relativeOr(one.health.until, now),
          sourceText(one.source),
          one.pools.join(', ') || '-',
        ]),
      )
    }),
  )
  listing(leaf(cred, 'show <name>', 'one credential, without its secret')).action(
    (name: string, options: { json?: true }, command: Command) =>
      cli.withOps(command, async (ops) => {
        const one = await ops.credShow({ name })
        if (options.json) return screen.json(one)
        for (const [label, text] of facts(one, cli.io.port.now())) screen.print(`${label.padEnd(10)} ${text}`)
      }),
  )
  listing(leaf(cred, 'test <name>', 'ask the upstream whether it accepts the credential')).action(
    (name: string, options: { json?: true }, command: Command) =>
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
