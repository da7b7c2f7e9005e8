import type { Command } from 'commander'
import { reserveOf } from '../../config/schema/reserve.ts'
import type { EvidenceShape } from '../../ops/ops.ts'
import { absolute, type Cli, duration, leaf, listing } from '../command.ts'
import { evidenceMarkdown, nothingNamed, printEvidence } from '../evidenceview.ts'
import { exitCodes } from '../exit.ts'
import { enforcedText, printGuard, printProbe, printRecovery } from '../guardview.ts'

/** `guard …`: directories, hot paths and workers. */
export function guardCommands(program: Command, cli: Cli): void {
  const guard = program.command('guard').description('directories, hot paths and workers')
  status(guard, cli)
  enforce(guard, cli)
  hotPaths(guard, cli)
  switches(guard, cli)
  evidence(guard, cli)
}

function status(guard: Command, cli: Cli): void {
  const { screen, io } = cli
  listing(leaf(guard, 'status', 'budgets, hot paths and workers as they are')).action(
    (options: { json?: true }, command: Command) =>
      cli.withOps(command, async (ops) => {
        const found = await ops.guardStatus({})
        return options.json ? screen.json(found) : printGuard(screen, found, io.port.now())
      }),
  )
}

function enforce(guard: Command, cli: Cli): void {
  const { screen, io } = cli
  listing(leaf(guard, 'enforce [name]', 'enforce a budget now, or all: report, or delete the oldest files'))
    .option('--dry-run', 'say what would be deleted, and delete nothing')
    .action((name: string | undefined, options: { dryRun?: true; json?: true }, command: Command) =>
      cli.withOps(command, async (ops) => {
        const asks = { dryRun: options.dryRun === true }
        const names = name === undefined ? (await ops.guardStatus({})).budgets.map((budget) => budget.name) : [name]
        const all = []
        for (const each of names) {
          let [done] = await ops.guardEnforce({ ...asks, name: each })
          const pruned = { files: 0, bytes: 0 }
          // A large directory takes several answers.
          while (done && !done.complete) {
            pruned.files += done.pruned.files
            pruned.bytes += done.pruned.bytes
            if (io.stderr.isTTY) screen.note(`${each}: ${done.files.toLocaleString('en')} files so far`)
            ;[done] = await ops.guardEnforce({ ...asks, name: each })
          }
          if (done)
            all.push({
              ...done,
              pruned: { files: done.pruned.files + pruned.files, bytes: done.pruned.bytes + pruned.bytes },
            })
        }
        if (options.json) return screen.json(all)
        if (all.length === 0) return screen.note('there are no budgets; guard.budgets in spillway.yaml names them')
        for (const done of all) screen.print(enforcedText(done))
      }),
    )
}

function hotPaths(guard: Command, cli: Cli): void {
  const { screen } = cli
  listing(leaf(guard, 'probe <name>', 'look at a hot path now; exit 1 unless it is readable')).action(
    (name: string, options: { json?: true }, command: Command) =>
      cli.withOps(command, async (ops) => {
        const found = await ops.guardProbe({ name })
        cli.end(found.state === 'readable' ? exitCodes.done : exitCodes.failed)
        return options.json ? screen.json(found) : printProbe(screen, found)
      }),
  )
  listing(leaf(guard, 'recover <name>', 'unmount a stale mount, mount it again, and what comes after'))
    .option('--dry-run', 'say what would be done, and do nothing')
    .action((name: string, options: { dryRun?: true; json?: true }, command: Command) =>
      cli.withOps(command, async (ops) => {
        const found = await ops.guardRecover({ name, dryRun: options.dryRun === true })
        if (found.result === 'refused') cli.end(exitCodes.conflict)
        if (found.result === 'failed') cli.end(exitCodes.failed)
        return options.json ? screen.json(found) : printRecovery(screen, found)
      }),
    )
}

function switches(guard: Command, cli: Cli): void {
  const { screen } = cli
  const turned = (verb: 'enable' | 'disable', about: string) =>
    listing(leaf(guard, `${verb} <name>`, about)).action((name: string, options: { json?: true }, command: Command) =>
      cli.withOps(command, async (ops) => {
        const done = await (verb === 'enable' ? ops.guardEnable({ name }) : ops.guardDisable({ name }))
        if (options.json) return screen.json(done)
        const state = verb === 'enable' ? 'on' : 'off'
        const what = done.what === 'worker' ? 'is started when it should run' : 'is recovered when it is stale'
        if (!done.changed) screen.print(`${name}: ${state} already (${done.path})`)
        else if (verb === 'enable') screen.print(`${name}: on; the ${done.what} ${what} (${done.path})`)
        else screen.print(`${name}: off; nothing is done by itself (${done.path} removed)`)
      }),
    )
  turned('enable', 'let a worker be started, or a hot path be recovered, by itself')
  turned('disable', 'stop that at once')
}

interface EvidenceOptions {
  readonly since: number
  readonly json?: true
  readonly markdown?: true
}

function evidence(guard: Command, cli: Cli): void {
  const { screen, io } = cli
  listing(leaf(guard, 'evidence [paths...]', 'what grows, how fast, since when; reads names and sizes only'))
    .option('--since <time>', 'over how long growth is measured', duration, 3_600_000)
    .option('--markdown', 'ready to paste into an issue')
    .action(async (paths: string[], options: EvidenceOptions, command: Command) => {
      const found = await gathered(cli, command, {
        paths: paths.map((path) => absolute(path, io.cwd)),
        since: options.since,
      })
      if (options.json) return screen.json(found)
      if (options.markdown) return screen.print(evidenceMarkdown(found, io.port.now()))
      if (found.paths.length === 0) return screen.note(nothingNamed)
      printEvidence(screen, found, io.port.now())
    })
}

/** Gathered in this process, so that it can show how far it is; only the breaker's state is asked for. */
async function gathered(
  cli: Cli,
  command: Command,
  { paths, since }: { paths: readonly string[]; since: number },
): Promise<EvidenceShape> {
  const { io } = cli
  const { createLook } = await import('../../guard/guard.ts')
  const frame = await cli.withOps(command, (ops) => ops.guardFrame({}))
  const look = createLook(io.env, (total) => reserveOf(frame, total))
  let shown = false
  const progress =
    io.stderr.isTTY === true
      ? ({ path, files }: { path: string; files: number }) => {
          shown = true
          io.stderr.write(`\r\u001b[K${path}: ${files.toLocaleString('en')} files so far`)
        }
      : undefined
  try {
    return await look.evidence({ paths, sinceMs: since, frame, ...(progress ? { progress } : {}) })
  } finally {
    if (shown) io.stderr.write('\r\u001b[K')
    look.stop()
  }
}
