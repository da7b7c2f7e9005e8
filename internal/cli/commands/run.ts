import { type Command, InvalidArgumentError, Option } from 'commander'
import { parseDuration } from '../../config/schema/units.ts'
import type { Backoff, CommandLine, JobType, RunNote } from '../../guard/guard.ts'
import { jobDefaults } from '../../guard/run/policy.ts'
import { type Cli, leaf, whereOf } from '../command.ts'
import { Unreachable } from '../exit.ts'
import { conclusionOf, noteText, startHint } from '../runview.ts'

interface RunOptions {
  readonly pool: string
  readonly job?: string
  readonly budget: string[]
  readonly hotPath: string[]
  readonly retries: number
  readonly waitReset?: true
  readonly backoff: Backoff
  readonly type: JobType
}

/** `run`: a worker under the pool's breaker. */
export function runCommand(program: Command, cli: Cli): void {
  leaf(program, 'run <command...>', 'start a worker only if the pool can serve, and retry it: run --pool P -- CMD…')
    .requiredOption('--pool <pool>', 'the pool that the worker uses; it gets the variables that env prints')
    .option('--job <name>', 'remember failures between runs, and run it once at a time')
    .option('--budget <name>', 'a directory that it must not fill over its budget (repeatable)', more, [])
    .option('--hot-path <name>', 'what must be readable (repeatable)', more, [])
    .option('--retries <n>', 'attempts after the first', wholeNumber, jobDefaults.retries)
    .option('--wait-reset', 'wait for a pool that is exhausted until it is back, and start then')
    .addOption(
      new Option('--backoff <first..longest>', 'how long to wait after a failure, at most; doubles with each')
        .argParser(backoff)
        .default(jobDefaults.backoff, '1s..5m'),
    )
    .addOption(
      new Option('--type <type>', 'agent: halts when the pool cannot serve; shell: does not depend on it')
        .choices(['agent', 'shell'])
        .default(jobDefaults.type),
    )
    .action((words: string[], options: RunOptions, command: Command) => run(cli, command, { words, options }))
}

async function run(cli: Cli, command: Command, given: { words: string[]; options: RunOptions }): Promise<void> {
  const { io, screen } = cli
  const { pool, job, budget, hotPath, retries, backoff, type } = given.options
  const [name = '', ...args] = given.words
  const line: CommandLine = [name, ...args]
  const { processDeps, runJob } = await import('../../guard/guard.ts')
  const { ops, close } = await io.port.open(whereOf(command, io.cwd), { live: true })
  try {
    const ending = await runJob(
      {
        pool,
        job: job ?? null,
        budgets: budget,
        hotPaths: hotPath,
        retries,
        waitReset: given.options.waitReset === true,
        backoff,
        type,
        command: line,
        cwd: io.cwd,
        env: io.env,
        terminal: io.stdin.isTTY === true,
      },
      { ...processDeps(), ops, stdio: 'inherit', tell: (note: RunNote) => screen.note(noteText(note, io.port.now())) },
    )
    if (ending.kind === 'no-daemon')
      throw new Unreachable('no daemon runs, and a worker needs its proxy', 'spillway serve starts it')
    const { line: said, code } = conclusionOf(ending, io.port.now())
    if (said !== null) screen.note(said)
    if (ending.kind === 'exited' && ending.why === 'cannot-start') screen.note(startHint(name))
    cli.end(code)
  } finally {
    await close()
  }
}

function more(text: string, before: string[]): string[] {
  return [...before, text]
}

function wholeNumber(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('Expected a whole number from 0.')
  return Number(text)
}

function backoff(text: string): Backoff {
  const [firstMs, maxMs, more] = text.split('..').map(parseDuration)
  if (!firstMs || !maxMs || more !== undefined || firstMs > maxMs || maxMs > 86_400_000)
    throw new InvalidArgumentError('Expected the first and the longest wait, a day at most, such as 1s..5m.')
  return { firstMs, maxMs }
}
