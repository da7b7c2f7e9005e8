import { type Command, Option } from 'commander'
import type { Ops } from '../../ops/ops.ts'
import { type Cli, leaf, listing, ordinal } from '../command.ts'
import { exitCodes } from '../exit.ts'
import { printAudit } from '../view/auditview.ts'

interface ListOptions {
  readonly since?: string
  readonly pool?: string
  readonly kind?: string
  readonly number: number
  readonly json?: true
}

/** The verb gives no more rows at a time. */
const mostRows = 10_000

/** `audit …`: what happened, in a chain that shows whether somebody changed it. */
export function auditCommands(program: Command, cli: Cli): void {
  const { screen } = cli
  const audit = program.command('audit').description('the audit log')
  listing(leaf(audit, 'list', 'the newest rows, oldest first'))
    .option('--since <time>', 'rows since then: 2h, 3d or an RFC 3339 instant')
    .option('--pool <pool>', 'rows of this pool')
    .option('--kind <kind>', 'rows of this kind, such as cred_failover')
    .option('-n, --number <n>', 'at most so many', ordinal, 50)
    .action((options: ListOptions, command: Command) =>
      cli.withOps(command, async (ops) => {
        const { since, pool, kind, number, json } = options
        const found = await ops.auditList({
          limit: number < mostRows ? number + 1 : number,
          ...(since === undefined ? {} : { since }),
          ...(pool === undefined ? {} : { pool }),
          ...(kind === undefined ? {} : { kind }),
        })
        const rows = found.slice(-number)
        if (json) return screen.json(rows)
        if (rows.length === 0) return screen.note('no rows')
        printAudit(screen, rows, cli.io.port.now())
        if (found.length > rows.length && command.getOptionValueSource('number') === 'default')
          screen.note(`there are older rows; -n ${number * 10} shows more of them`)
      }),
    )
  listing(leaf(audit, 'verify', 'walk along the chain and say whether a row was changed, removed or cut off')).action(
    (options: { json?: true }, command: Command) =>
      cli.withOps(command, async (ops) => {
        const verdict = await ops.auditVerify({})
        if (!verdict.ok) cli.end(exitCodes.failed)
        if (options.json) return screen.json(verdict)
        if (!verdict.ok) return screen.print(`the chain is broken at row ${verdict.seq}: ${verdict.problem}`)
        const head =
          verdict.head === null ? '' : `, the last is ${verdict.head.seq} (${verdict.head.hash.slice(0, 12)})`
        screen.print(`the chain holds: ${verdict.rows} rows${head}`)
      }),
  )
  leaf(audit, 'export', 'all rows, oldest first')
    .addOption(new Option('--format <format>', 'how').choices(['jsonl']).default('jsonl'))
    .action((_options: object, command: Command) => cli.withOps(command, (ops) => exportRows(cli, ops)))
}

/** Page by page, so that neither side holds the whole log. */
async function exportRows(cli: Cli, ops: Ops): Promise<void> {
  let after = 0
  for (;;) {
    const rows = await ops.auditExport({ after })
    const last = rows.at(-1)
    if (last === undefined) return
    after = last.seq
    await written(cli, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  }
}

function written(cli: Cli, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    cli.io.stdout.write(text, (error) => (error ? reject(error) : resolve()))
  })
}
