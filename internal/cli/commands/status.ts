import type { Command } from 'commander'
import type { CheckShape, DoctorRow, StatusShape } from '../../ops/ops.ts'
import { type Cli, leaf, listing, whereOf } from '../command.ts'
import { endingOf, exitCodes, Unreachable } from '../exit.ts'
import type { CliIo } from '../port.ts'
import { screenOf } from '../screen.ts'
import { printDoctor } from '../view/doctorview.ts'
import { takeOver } from '../view/fullscreen.ts'
import { checkText } from '../view/poolview.ts'
import { statusline } from '../view/statusline.ts'
import { printStatus } from '../view/statusview.ts'

const watchMs = 1_000

/** `status`, `check` and `doctor`: how things are. */
export function statusCommands(program: Command, cli: Cli): void {
  const { screen, io } = cli
  listing(leaf(program, 'status', 'pools, members, who is active, recoveries, incidents'))
    .option('--watch', 'again every second')
    .action(async (options: { json?: true; watch?: true }, command: Command) => {
      const look = () => cli.withOps(command, (ops) => ops.status({}))
      if (options.watch) return watch(cli, look, options.json === true)
      const status = await look()
      return options.json ? screen.json(status) : printStatus(screen, status, io.port.now())
    })
  leaf(program, 'statusline [pool]', 'one short line for prompts and status bars').action(
    async (name: string | undefined, _options: object, command: Command) => {
      // A prompt does not wait for a store to be opened: only a daemon is asked.
      const opened = await io.port.open(whereOf(command, io.cwd), { live: true }).catch((error: unknown) => {
        if (error instanceof Unreachable) return null
        throw error
      })
      if (opened === null) {
        screen.print('spillway is not running')
        return cli.end(exitCodes.unreachable)
      }
      const { ops, close } = opened
      try {
        const pools = name === undefined ? await ops.poolList({}) : [await ops.poolStatus({ name })]
        screen.print(pools.map((pool) => statusline(pool, io.port.now())).join(' | '))
      } finally {
        await close()
      }
    },
  )
  listing(
    leaf(
      program,
      'check <pool>',
      'exit 0: it can serve; 75: it cools, or its upstream is unreachable; 77: a person must act',
    ),
  )
    .option('--for <time>', 'and 75 when it is foreseen to run dry within that time, such as 6h')
    .action((name: string, options: { json?: true; for?: string }, command: Command) =>
      cli.withOps(command, async (ops) => {
        const found = await ops.poolCheck({ name, ...(options.for === undefined ? {} : { for: options.for }) })
        cli.end(checkCodes[found.verdict])
        if (!found.running)
          screen.note(
            'no daemon runs: this is how the next one begins, and until then agents get connection refused. Run: spillway serve',
          )
        if (options.json) return screen.json(found)
        screen.print(checkText(found, io.port.now()))
        if (found.verdict === 'needs-person') for (const { command: fix } of found.people) screen.note(`hint: ${fix}`)
      }),
    )
  listing(leaf(program, 'doctor', 'config, disk, permissions, clock, upstream reachability')).action(
    async (options: { json?: true }, command: Command) => {
      const rows = await examined(cli, command)
      if (rows.some(({ state }) => state === 'fail')) cli.end(exitCodes.failed)
      return options.json ? screen.json(rows) : printDoctor(screen, rows)
    },
  )
}

/** Shows the status again each second until it is stopped; on a terminal on a screen of its own, which is given back. */
async function watch(cli: Cli, look: () => Promise<StatusShape>, isJson: boolean): Promise<void> {
  const { io } = cli
  const taken = io.stdout.isTTY === true && !isJson ? takeOver(io.stdout) : null
  let ignore = () => {}
  const stopped = new Promise<number>((resolve) => {
    ignore = io.onStop?.(resolve) ?? ignore
  })
  try {
    // The store is not kept open meanwhile: a daemon may start, or end, while somebody watches.
    for (;;) {
      const status = await look()
      if (isJson) io.stdout.write(`${JSON.stringify(status)}\n`)
      else if (taken) taken.show(rendered(io, status))
      else printStatus(cli.screen, status, io.port.now())
      const code = await Promise.race([io.port.sleep(watchMs), stopped])
      if (typeof code === 'number') return cli.end(code)
    }
  } finally {
    ignore()
    taken?.restore()
  }
}

/** The status as text for a terminal as wide as it is now. */
function rendered(io: CliIo, status: StatusShape): string {
  let text = ''
  const { isTTY, columns } = io.stdout
  const write = (more: string) => {
    text += more
    return true
  }
  printStatus(screenOf({ ...io, stdout: { isTTY, columns, write } }), status, io.port.now())
  const clock = new Date(io.port.now()).toTimeString().slice(0, 8)
  return `${text}\n${clock}, again each second; Ctrl-C ends it`
}

/** What the doctor finds; an installation that cannot even be opened is a finding, too. */
async function examined(cli: Cli, command: Command): Promise<DoctorRow[]> {
  try {
    return await cli.withOps(command, async (ops) => [
      ...(await ops.doctor({})),
      versionRow((await ops.status({})).version, cli.io.port.version),
    ])
  } catch (error) {
    const { message, hint } = endingOf(error)
    return [{ check: 'start', state: 'fail', message: message ?? String(error), hint }]
  }
}

/** Whether the daemon that answers is of the version that asks. */
function versionRow(daemon: string, own: string): DoctorRow {
  if (daemon === own) return { check: 'version', state: 'ok', message: `spillway ${own}`, hint: null }
  const message = `the daemon is spillway ${daemon}, and this command is ${own}`
  return { check: 'version', state: 'warn', message, hint: 'start the daemon again, so that both are of one version' }
}

const checkCodes: Readonly<Record<CheckShape['verdict'], number>> = {
  'can-serve': exitCodes.done,
  'runs-dry': exitCodes.tryLater,
  cooling: exitCodes.tryLater,
  unreachable: exitCodes.tryLater,
  'needs-person': exitCodes.needsPerson,
}
