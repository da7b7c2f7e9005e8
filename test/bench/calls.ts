/** What a call of the command line takes that asks a daemon, in multiples of a node that does nothing. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type Finding, pairedRatio, type Spread, saidSpread, spreadOf, type Target } from './finding.ts'
import { together } from './together.ts'
import { main, spillway } from './variants.ts'

const commands: Readonly<Record<string, readonly string[]>> = {
  status: ['status'],
  token: ['token', 'openai'],
  check: ['check', 'openai'],
  statusline: ['statusline'],
  '--help': ['--help'],
}

interface Call {
  readonly name: string
  readonly cpu: Spread
  readonly wall: Spread
  /** CPU over that of `node -e 0`, round by round. */
  readonly ratio: Spread
}

/** Each command so many times in each round, between as many of `node -e 0`. */
export function calls({ rounds, times }: { rounds: number; times: number }): Promise<Finding> {
  return together([spillway()], async ({ proxies: [proxy] }) => {
    if (!proxy?.data) throw new Error('spillway did not start')
    const base = ['--data', proxy.data]
    const nothing: Took[] = []
    const took = new Map(Object.keys(commands).map((name): [string, Took[]] => [name, []]))
    for (let round = 0; round < rounds; round++) {
      nothing.push(timed(times, ['-e', '0']))
      for (const [name, words] of Object.entries(commands))
        took.get(name)?.push(timed(times, [main, ...base, ...words]))
    }
    const seen = [...took].map(([name, each]) => callOf(name, each, nothing))
    const head = 'CPU of a command that asks the daemon ÷ that of node -e 0, and milliseconds: median (min–max)'
    const lines = seen.map(
      ({ name, ratio, wall }) => `  ${name.padEnd(12)} ${saidSpread(ratio).padEnd(20)} ${saidSpread(wall, 0)}`,
    )
    return { lines: [head, ...lines], facts: { calls: seen }, targets: targetsOf(seen) }
  })
}

interface Took {
  readonly cpu: number
  readonly wall: number
}

function callOf(name: string, each: readonly Took[], nothing: readonly Took[]): Call {
  const cpu = each.map((took) => took.cpu)
  const ratio = pairedRatio(
    cpu,
    nothing.map((took) => took.cpu),
  )
  return { name, cpu: spreadOf(cpu), wall: spreadOf(each.map((took) => took.wall)), ratio }
}

/** CPU and time of one run of node in ms, from so many in a row. */
export function timed(times: number, args: readonly string[]): Took {
  const before = { cpu: childrenMs(), at: performance.now() }
  for (let run = 0; run < times; run++) {
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`)
  }
  return { cpu: (childrenMs() - before.cpu) / times, wall: (performance.now() - before.at) / times }
}

/** The CPU that children which have ended took, in ms: from `/proc/self/stat`, in ticks of 10 ms. */
function childrenMs(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[13]) + Number(fields[14])) * 10
}

function targetsOf(seen: readonly Call[]): Target[] {
  const atMost = (name: string) => (name === '--help' ? 1.5 : 2)
  return seen.map(({ name, ratio }) => ({
    name: `CPU of ${name} ÷ node -e 0`,
    value: ratio.median,
    atMost: atMost(name),
  }))
}
