import type { Command } from 'commander'
import { formatDuration } from '../../config/schema/units.ts'
import { providers, Refusal, shapes, strategies } from '../../ops/client.ts'
import { type Cli, duration, leaf, listing, names, ordinal } from '../command.ts'
import { forecastLines } from '../view/forecastview.ts'
import { printPools, printPoolViews } from '../view/poolview.ts'
import { localTime, relativeOr } from '../when.ts'
import { tuneCommand } from './tune.ts'

/** `pool …`: what a pool is made of. */
export function poolCommands(program: Command, cli: Cli): void {
  const pool = program.command('pool').description('pools and their members')
  list(pool, cli)
  create(pool, cli)
  change(pool, cli)
  tuneCommand(pool, cli)
  members(pool, cli)
  forecast(pool, cli)
  explain(pool, cli)
}

function list(pool: Command, cli: Cli): void {
  const { screen } = cli
  const now = () => cli.io.port.now()
  listing(leaf(pool, 'list', 'all pools')).action((options: { json?: true }, command: Command) =>
    cli.withOps(command, async (ops) => {
      const pools = await ops.poolList({})
      if (options.json) return screen.json(pools)
      if (pools.length === 0) return screen.note('there are no pools; spillway pool create makes one')
      printPools(screen, pools, now())
    }),
  )
  listing(leaf(pool, 'status [name]', 'one pool, or all, with their members')).action(
    (name: string | undefined, options: { json?: true }, command: Command) =>
      cli.withOps(command, async (ops) => {
        if (name !== undefined) {
          const status = await ops.poolStatus({ name })
          return options.json ? screen.json(status) : printPoolViews(screen, [status], now())
        }
        const pools = await ops.poolList({})
        if (options.json) return screen.json(pools)
        if (pools.length === 0) return screen.note('there are no pools; spillway pool create makes one')
        printPoolViews(screen, pools, now())
      }),
  )
}

interface CreateOptions {
  readonly provider: string
  readonly shape?: string
  readonly members: string[]
  readonly strategy?: string
  readonly upstream?: string
}

function create(pool: Command, cli: Cli): void {
  leaf(pool, 'create <name>', 'make a pool of credentials')
    .requiredOption('--provider <provider>', `one of ${providers.join(', ')}`)
    .option('--shape <shape>', `of its API, where it offers several: ${shapes.join(', ')}`)
    .requiredOption('--members <a,b>', 'credentials, in their order', names)
    .option('--strategy <strategy>', `one of ${strategies.join(', ')} (default: sticky)`)
    .option('--upstream <url>', "base URL of the upstream, instead of the provider's own")
    .action((name: string, options: CreateOptions, command: Command) =>
      cli.withOps(command, async (ops) => {
        const { provider, shape, members, strategy, upstream } = options
        const made = await ops.poolCreate({
          name,
          provider,
          members,
          ...(shape === undefined ? {} : { shape }),
          ...(strategy === undefined ? {} : { strategy }),
          ...(upstream === undefined ? {} : { upstream }),
        })
        cli.screen.print(
          `created ${name} (${made.provider}) with ${made.members.map((member) => member.name).join(', ')}`,
        )
      }),
    )
  leaf(pool, 'delete <name>', 'delete a pool; its credentials stay').action(
    (name: string, _options: object, command: Command) =>
      cli.withOps(command, async (ops) => {
        await ops.poolDelete({ name })
        cli.screen.print(`deleted ${name}`)
      }),
  )
}

function change(pool: Command, cli: Cli): void {
  listing(leaf(pool, 'show <name>', 'the settings in force, and who decides each')).action(
    (name: string, options: { json?: true }, command: Command) =>
      cli.withOps(command, async (ops) => {
        const settings = await ops.poolSettings({ name })
        if (options.json) return cli.screen.json(settings)
        cli.screen.table(
          ['SETTING', 'VALUE', 'FROM'],
          settings.map(({ setting, value, origin }) => [
            setting,
            setting === 'maxWaitMs' ? formatDuration(Number(value)) : String(value ?? '-'),
            origin,
          ]),
        )
      }),
  )
  leaf(
    pool,
    'set <name> <key=value...>',
    'strategy, maxWaitMs, onExhausted, preemptAt, affinity, probePath, upstream; nothing after = takes it back',
  ).action((name: string, pairs: string[], _options: object, command: Command) =>
    cli.withOps(command, async (ops) => {
      await ops.poolSet({ name, set: Object.fromEntries(pairs.map(pair)) })
      cli.screen.print(`changed ${name}: ${pairs.join(', ')}`)
    }),
  )
  leaf(pool, 'add <name> <member>', 'add a credential to a pool')
    .option('--position <n>', 'where, from 1 (default: at the end)', ordinal)
    .option('--weight <w>', 'share under the strategy weighted (default: 1)', ordinal)
    .action((name: string, member: string, options: { position?: number; weight?: number }, command: Command) =>
      cli.withOps(command, async (ops) => {
        const { position, weight } = options
        await ops.poolAdd({
          name,
          member,
          ...(position === undefined ? {} : { position }),
          ...(weight === undefined ? {} : { weight }),
        })
        cli.screen.print(`added ${member} to ${name}`)
      }),
    )
  leaf(pool, 'drop <name> <member>', 'take a credential out of a pool').action(
    (name: string, member: string, _options: object, command: Command) =>
      cli.withOps(command, async (ops) => {
        await ops.poolDrop({ name, member })
        cli.screen.print(`dropped ${member} from ${name}`)
      }),
  )
  leaf(pool, 'reorder <name> <a,b,c>', 'put the members into another order').action(
    (name: string, order: string, _options: object, command: Command) =>
      cli.withOps(command, async (ops) => {
        const done = await ops.poolReorder({ name, members: names(order) })
        cli.screen.print(`${name}: ${done.members.map((member) => member.name).join(', ')}`)
      }),
  )
}

function pair(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new Refusal('invalid', `${JSON.stringify(text)} is not KEY=VALUE`, 'example: strategy=ordered')
  return [text.slice(0, at), text.slice(at + 1)]
}

function members(pool: Command, cli: Cli): void {
  const { screen } = cli
  const time = (instant: string) => localTime(instant, cli.io.port.now())
  listing(leaf(pool, 'rotate <name>', 'park the active member; the next one serves'))
    .option('--to <member>', 'who is to serve')
    .option('--for <time>', 'how long the member is parked, such as 5m (default: cooldown.parkMs)', duration)
    .action((name: string, options: { to?: string; for?: number; json?: true }, command: Command) =>
      cli.withOps(command, async (ops) => {
        const { to, for: forMs, json } = options
        const done = await ops.poolRotate({
          name,
          ...(to === undefined ? {} : { to }),
          ...(forMs === undefined ? {} : { forMs }),
        })
        if (json) return screen.json(done)
        screen.print(`${name}: ${done.from} → ${done.to} (${done.from} parked until ${time(done.until)})`)
      }),
    )
  leaf(pool, 'park <name> <member>', 'put a member aside')
    .option('--for <time>', 'how long, such as 1h (default: until it is unparked)', duration)
    .action((name: string, member: string, options: { for?: number }, command: Command) =>
      cli.withOps(command, async (ops) => {
        const { until } = await ops.poolPark({
          name,
          member,
          ...(options.for === undefined ? {} : { forMs: options.for }),
        })
        screen.print(`${name}: ${member} parked until ${until === null ? 'it is unparked' : time(until)}`)
      }),
    )
  leaf(pool, 'unpark <name> <member>', 'let a parked member serve again').action(
    (name: string, member: string, _options: object, command: Command) =>
      cli.withOps(command, async (ops) => {
        const { changed } = await ops.poolUnpark({ name, member })
        screen.print(changed ? `${name}: ${member} unparked` : `${name}: ${member} is not parked`)
      }),
  )
  leaf(pool, 'clear <name> <member>', "end a member's cooldown").action(
    (name: string, member: string, _options: object, command: Command) =>
      cli.withOps(command, async (ops) => {
        const { changed } = await ops.poolClear({ name, member })
        screen.print(changed ? `${name}: ${member} cleared` : `${name}: ${member} has no cooldown`)
      }),
  )
}

function forecast(pool: Command, cli: Cli): void {
  listing(leaf(pool, 'forecast <name>', 'when it runs dry, when relief comes, who burns')).action(
    (name: string, options: { json?: true }, command: Command) =>
      cli.withOps(command, async (ops) => {
        const found = await ops.poolForecast({ name })
        if (options.json) return cli.screen.json(found)
        for (const line of forecastLines(found, cli.io.port.now())) cli.screen.print(line)
      }),
  )
}

function explain(pool: Command, cli: Cli): void {
  const { screen } = cli
  listing(leaf(pool, 'explain <name>', 'who would serve now, and why not the others'))
    .option('--model <model>', 'for a request that asks for this model')
    .action((name: string, options: { model?: string; json?: true }, command: Command) =>
      cli.withOps(command, async (ops) => {
        const { model, json } = options
        const why = await ops.poolExplain({ name, ...(model === undefined ? {} : { model }) })
        if (json) return screen.json(why)
        const now = cli.io.port.now()
        screen.print(why.serves === null ? `nobody serves: ${why.why}` : `${why.serves} serves: ${why.why}`)
        if (why.serves === null && why.retryAt !== null)
          screen.print(`next try at ${localTime(why.retryAt, now)} (${relativeOr(why.retryAt, now)})`)
        screen.table(
          ['MEMBER', 'SERVES', 'WHY', 'REASON', 'UNTIL'],
          why.members.map((member) => [
            member.name,
            member.serves ? { text: 'yes', ink: 'green' } : 'no',
            member.why,
            member.reason ?? '-',
            relativeOr(member.until, now),
          ]),
        )
        for (const { name: member, command: fix } of why.members)
          if (fix !== null) screen.print(`  ${member} waits for a person. Run: ${fix}`)
      }),
    )
}
