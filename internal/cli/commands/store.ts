import type { Command } from 'commander'
import { absolute, type Cli, leaf, listing, whereOf } from '../command.ts'
import { exitCodes } from '../exit.ts'
import type { StoreReport } from '../port.ts'
import type { Screen } from '../screen.ts'

/** `store …`: the database itself. */
export function storeCommands(program: Command, cli: Cli): void {
  const { io, screen } = cli
  const store = program.command('store').description('the database: its schema, its state, and copies to another one')

  listing(leaf(store, 'migrate', 'bring the schema up to date, as a start would')).action(
    async (options: { json?: true }, command: Command) => {
      const done = await io.port.store.migrate(whereOf(command, io.cwd))
      if (options.json) return screen.json(done)
      const { url, before, now } = done
      if (before === now) return screen.print(`${url} is up to date (schema ${now})`)
      screen.print(`${url} has schema ${now} (${before === null ? 'it was empty' : `it had ${before}`})`)
    },
  )
  listing(leaf(store, 'check', 'what it is, how it is reached, and whether it is whole; exit 1 when not')).action(
    async (options: { json?: true }, command: Command) => {
      const report = await io.port.store.check(whereOf(command, io.cwd))
      if (report.problems.length > 0) cli.end(exitCodes.failed)
      if (options.json) return screen.json(report)
      printReport(screen, report, io.port.now())
    },
  )
  listing(leaf(store, 'copy', 'everything to another database, compared by count and digest; cut off, it goes on'))
    .requiredOption('--to <url>', 'an empty database: sqlite:FILE or postgres://USER@HOST/DATABASE')
    .option('--from <url>', 'the store in force, unless given')
    .action(async (options: { json?: true; to: string; from?: string }, command: Command) => {
      const ends = {
        from: options.from === undefined ? null : placed(options.from, io.cwd),
        to: placed(options.to, io.cwd),
      }
      const isWatched = io.stderr.isTTY === true
      const show = (table: string, rows: number) =>
        void (isWatched && io.stderr.write(`\r\u001b[K${table}: ${rows} rows`))
      const done = await io.port.store.copy(whereOf(command, io.cwd), ends, show)
      if (isWatched) io.stderr.write('\r\u001b[K')
      if (options.json) return screen.json(done)
      const cells = done.tables.map(({ table, rows, digest, written }) => [
        table,
        String(rows),
        digest.slice(0, 12),
        written ? 'copied' : 'the same already',
      ])
      screen.table(['TABLE', 'ROWS', 'DIGEST', ''], cells)
      screen.note(`${done.to} holds what ${done.from} holds; store.url: ${done.to} makes it the one in force`)
    })
}

/** A path in a URL begins where the command is typed. */
function placed(url: string, cwd: string): string {
  const file = /^sqlite:(.+)$/.exec(url)?.[1]
  return file === undefined ? url : `sqlite:${absolute(file, cwd)}`
}

function printReport(screen: Screen, report: StoreReport, now: number): void {
  const { url, schema, newest, writtenBy, server, replicas, tables, problems } = report
  screen.print(server ? `${url}: PostgreSQL ${server.version}` : url)
  if (server) {
    const way = `${server.encrypted ? 'encrypted' : 'in clear'}, answers in ${server.latencyMs.toFixed(1)} ms`
    screen.print(`${way}${server.isPooled ? ', through a pooler in transaction mode' : ''}`)
  }
  if (schema !== null) screen.print(`schema ${schema} of ${newest}, written by ${writtenBy}`)
  for (const { name, version, seenAt } of replicas)
    screen.print(`replica ${name} (${version}), seen ${Math.max(0, Math.round((now - seenAt) / 1_000))} s ago`)
  if (tables.length > 0) {
    screen.print('')
    screen.table(
      ['TABLE', 'ROWS'],
      tables.map(({ table, rows }) => [table, String(rows)]),
    )
  }
  for (const { what, hint } of problems) screen.complain(what, hint)
}
