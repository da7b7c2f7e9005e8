import type { Command } from 'commander'
import type { CheckShape, DoctorRow, IncidentShape, StatusShape } from '../../ops/ops.ts'
import { type Cli, leaf, listing } from '../command.ts'
import { endingOf, exitCodes } from '../exit.ts'
import { checkText, printPool } from '../poolview.ts'
import type { Ink } from '../screen.ts'
import { relative, span } from '../when.ts'

const watchMs = 1_000

/** `status`, `check` and `doctor`: how things are. */
export function statusCommands(program: Command, cli: Cli): void {
  const { screen, io } = cli
  listing(leaf(program, 'status', 'pools, members, who is active, recoveries, incidents'))
    .option('--watch', 'again every second')
    .action(async (options: { json?: true; watch?: true }, command: Command) => {
      const look = () => cli.withOps(command, (ops) => ops.status({}))
      if (!options.watch) {
        const status = await look()
        return options.json ? screen.json(status) : printStatus(cli, status)
      }
      // The store is not kept open meanwhile: a daemon may start, or end, while somebody watches.
      for (;;) {
        const status = await look()
        if (options.json) io.stdout.write(`${JSON.stringify(status)}\n`)
        else {
          if (io.stdout.isTTY) io.stdout.write('\u001b[H\u001b[2J')
          printStatus(cli, status)
        }
        await io.port.sleep(watchMs)
      }
    })
  listing(
    leaf(
      program,
      'check <pool>',
      'exit 0: it can serve; 75: it cools, or its upstream is unreachable; 77: a person must act',
    ),
  ).action((name: string, options: { json?: true }, command: Command) =>
    cli.withOps(command, async (ops) => {
      const found = await ops.poolCheck({ name })
      cli.end(checkCodes[found.verdict])
      if (options.json) return screen.json(found)
      screen.print(checkText(found, io.port.now()))
      if (found.verdict === 'needs-person') for (const { command: fix } of found.people) screen.note(`hint: ${fix}`)
    }),
  )
  listing(leaf(program, 'doctor', 'config, disk, permissions, clock, upstream reachability')).action(
    async (options: { json?: true }, command: Command) => {
      const rows = await examined(cli, command)
      if (rows.some(({ state }) => state === 'fail')) cli.end(exitCodes.failed)
      return options.json ? screen.json(rows) : printRows(cli, rows)
    },
  )
}

/** What the doctor finds; an installation that cannot even be opened is a finding, too. */
async function examined(cli: Cli, command: Command): Promise<DoctorRow[]> {
  try {
    return await cli.withOps(command, (ops) => ops.doctor({}))
  } catch (error) {
    const { message, hint } = endingOf(error)
    return [{ check: 'start', state: 'fail', message: message ?? String(error), hint }]
  }
}

const checkCodes: Readonly<Record<CheckShape['verdict'], number>> = {
  'can-serve': exitCodes.done,
  cooling: exitCodes.tryLater,
  unreachable: exitCodes.tryLater,
  'needs-person': exitCodes.needsPerson,
}

function printStatus(cli: Cli, status: StatusShape): void {
  const { screen } = cli
  const now = cli.io.port.now()
  const up = status.startedAt === null ? 'not running' : `up ${span(now - Date.parse(status.startedAt))}`
  screen.print(`spillway ${status.version}, ${up}, ${status.origin}`)
  if (status.pools.length === 0) screen.print('no pools')
  for (const pool of status.pools) {
    screen.print('')
    printPool(screen, pool, now)
  }
  if (status.incidents.length === 0) return
  screen.print('')
  screen.table(
    ['INCIDENT', 'POOL', 'ABOUT', 'REASON', 'SINCE', 'COUNT'],
    status.incidents.map((one) => incidentRow(one, now)),
  )
}

function incidentRow(one: IncidentShape, now: number): string[] {
  return [
    one.kind,
    one.pool ?? '-',
    one.subject ?? '-',
    one.reason ?? '-',
    relative(one.openedAt, now),
    String(one.count),
  ]
}

const inks: Readonly<Record<DoctorRow['state'], Ink>> = { ok: 'green', warn: 'yellow', fail: 'red' }

function printRows(cli: Cli, rows: readonly DoctorRow[]): void {
  const { screen } = cli
  const width = Math.max(...rows.map(({ check }) => check.length))
  const margin = ' '.repeat(width + 10)
  for (const { check, state, message, hint } of rows) {
    const text = message.replaceAll('\n', `\n${margin}`)
    screen.print(`${screen.paint(inks[state], state.padEnd(4))}   ${check.padEnd(width)}   ${text}`)
    if (hint !== null && state !== 'ok') screen.print(`${margin}${screen.paint('dim', hint)}`)
  }
}
