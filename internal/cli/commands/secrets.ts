import type { Command } from 'commander'
import { providers, Refusal, shapes } from '../../ops/client.ts'
import type { Ops } from '../../ops/ops.ts'
import { absolute, type Cli, leaf, listing } from '../command.ts'
import { readSecret } from '../secret.ts'
import { checked, identified, replaced, warn } from './checking.ts'
import { login } from './login.ts'

interface SourceOptions {
  readonly fromEnv?: string
  readonly fromFile?: string
  readonly fromCommand?: string
  readonly fileFormat?: string
}

interface AddOptions extends SourceOptions {
  readonly provider: string
  readonly shape?: string
  readonly baseUrl?: string
  readonly domain?: string
  readonly header?: string
  readonly tokenUrl?: string
  readonly clientId?: string
  readonly clientSecretFile?: string
  readonly scope?: string
  readonly check: boolean
  readonly json?: true
}

type Source = Parameters<Ops['credAdd']>[0]['source']

/** `cred add` and `cred replace`: secrets come in. */
export function secretCommands(cred: Command, cli: Cli): void {
  add(cred, cli)
  replace(cred, cli)
}

function fed(command: Command): Command {
  return listing(command)
    .option('--from-env <variable>', 'read it from this environment variable whenever it is needed')
    .option('--from-file <path>', 'read it from this file whenever it is needed')
    .option('--from-command <command>', 'read it from the output of this command whenever it is needed')
    .option(
      '--file-format <format>',
      'of the file: codex, claude, gemini, or json:access_token=PATH,refresh_token=PATH,…',
    )
    .option('--no-check', 'do not ask the upstream whether it accepts it')
    .allowExcessArguments()
}

function add(cred: Command, cli: Cli): void {
  fed(leaf(cred, 'add <name>', 'add a credential; its secret is read from stdin (unseen on a terminal)'))
    .requiredOption('--provider <provider>', `one of ${providers.join(', ')}`)
    .option('--shape <shape>', `of its API, where it offers several: ${shapes.join(', ')}`)
    .option('--base-url <url>', "where it is sent, instead of the provider's own")
    .option('--domain <domain>', 'credentials of one domain share their limits (an organisation, an account)')
    .option('--header <header>', 'the header that carries it (generic)')
    .option('--token-url <url>', "where the file's tokens are refreshed")
    .option('--client-id <id>', 'the OAuth client that refreshes them')
    .option('--client-secret-file <path>', "holds that client's secret")
    .option('--scope <scope>', 'what a new login asks for')
    .action(async (name: string, options: AddOptions, command: Command) => {
      refuseArguments(command)
      const given = reference(cli, options)
      const described = describedBy(name, options)
      // Nobody should type a secret for what is refused anyway, nor hold the lock while typing.
      if (given === null) await cli.withOps(command, (ops) => ops.credVet(described))
      const source: Source = given ?? { kind: 'vault', secret: await readSecret(cli.io, `secret of ${name}: `) }
      await cli.withOps(command, async (ops) => {
        const made = await ops.credAdd({ ...described, source, ...refreshed(cli, options) })
        if (!options.json) cli.screen.print(`added ${name} (${made.provider})${identified(made)}`)
        warn(cli, made.warnings)
        await checked(cli, ops, { name, options, problem: made.problem })
      })
    })
}

interface ReplaceOptions extends SourceOptions {
  readonly check: boolean
  readonly json?: true
}

function replace(cred: Command, cli: Cli): void {
  fed(
    leaf(cred, 'replace <name>', 'give a credential another secret, read from stdin; for a login, log in anew'),
  ).action(async (name: string, options: ReplaceOptions, command: Command) => {
    refuseArguments(command)
    const given = reference(cli, options)
    const { auth } = await cli.withOps(command, (ops) => ops.credShow({ name }))
    if (auth === 'oauth') {
      // What is piped is a secret, and a login has none to be typed.
      if (given !== null || cli.io.stdin.isTTY !== true)
        throw new Refusal('invalid', `${name} is a login: there is no secret to give it`, `spillway cred login ${name}`)
      return cli.withOps(command, (ops) => login(cli, ops, name))
    }
    const secret = given === null ? await readSecret(cli.io, `new secret of ${name}: `) : null
    await replaced(cli, command, { name, options, from: secret === null ? { source: given as Source } : { secret } })
  })
}

/** A second argument can only be a secret that somebody meant to give: it is not repeated. */
function refuseArguments(command: Command): void {
  if (command.args.length < 2) return
  throw new Refusal(
    'invalid',
    'secrets are not taken from the command line, which every program of this machine can read',
    'this one is in the history of your shell now: remove it there, or make another; then type or pipe it',
  )
}

function describedBy(name: string, { provider, shape, baseUrl, domain, header }: AddOptions) {
  return {
    name,
    provider,
    ...(shape === undefined ? {} : { shape }),
    ...(baseUrl === undefined ? {} : { baseUrl }),
    ...(domain === undefined ? {} : { domain }),
    ...(header === undefined ? {} : { header }),
  }
}

/** The reference that was given instead of a secret; null for none. */
function reference(cli: Cli, { fromEnv, fromFile, fromCommand, fileFormat }: SourceOptions): Source | null {
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
