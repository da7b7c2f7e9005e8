/**
 * `npm run bench`: ratios measured side by side in one run. CPU time per request from /proc/PID/stat, the proxy pinned to
 * one core, load generator and origin to the other, rounds interleaved, every answer checked. `--quick` shortens it.
 */
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { compare, median, type Plan } from './compare.ts'
import { selectionMicros, transitionsPerSecond } from './engine.ts'
import { failoverAdds } from './failover.ts'
import { residentBytes } from './process.ts'
import { alone, proxied, type Row, refusal } from './proxied.ts'
import { memoryPerStream } from './streams.ts'
import { spillway } from './variants.ts'

const quick = process.argv.includes('--quick')
const plan: Plan = quick
  ? { warmUpMs: 2_000, roundMs: 1_000, rounds: 3 }
  : { warmUpMs: 10_000, roundMs: 3_000, rounds: 5 }

const say = (line: string) => process.stderr.write(`${line}\n`)
const print = (line = '') => process.stdout.write(`${line}\n`)
const two = (value: number) => value.toFixed(2)

function table(row: Row): void {
  const ours = row.proxies.find(({ name }) => name === 'spillway')?.micros ?? Number.NaN
  print(`\n${row.scenario}: µs of CPU per ${row.unit}, median (min–max); spillway = 1`)
  for (const { name, micros, min, max, requestsPerSecond, p99Ms } of row.proxies) {
    const spread = `${micros.toFixed(1)} (${min.toFixed(1)}–${max.toFixed(1)})`
    const rate = `${Math.round(requestsPerSecond)}/s, p99 ${p99Ms.toFixed(1)} ms`
    print(`  ${name.padEnd(20)} ${two(micros / ours).padStart(7)}  ${spread.padEnd(24)} ${rate}`)
  }
}

/** Bytes of all files below a directory. */
function sizeOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name)
    return sum + (entry.isDirectory() ? sizeOf(path) : entry.isFile() ? statSync(path).size : 0)
  }, 0)
}

async function refusals(): Promise<{ micros: number; bytes: number; requests: number }> {
  const exhausted = spillway('exhausted', { members: 2, limited: 2, maxWaitMs: 0 })
  return alone(exhausted, async (proxy) => {
    const [warm] = await compare(refusal, [proxy], { ...plan, rounds: 1 })
    const before = sizeOf(proxy.data ?? '')
    const [measured] = await compare(refusal, [proxy], { warmUpMs: 500, roundMs: 10_000, rounds: quick ? 1 : 3 })
    const bytes = sizeOf(proxy.data ?? '') - before
    const samples = measured?.samples ?? warm?.samples ?? []
    const requests = samples.reduce((sum, sample) => sum + sample.requestsPerSecond * 10, 0)
    return { micros: median(samples.map((sample) => sample.microsPerUnit)), bytes, requests: Math.round(requests) }
  })
}

async function main(): Promise<void> {
  const { rows, missing } = await proxied(plan, say)
  for (const row of rows) table(row)
  for (const what of missing) print(`  not measured: ${what}`)

  say('refusals of an exhausted pool')
  const refused = await refusals()
  const proxiedMicros = rows[0]?.proxies.find(({ name }) => name === 'spillway')?.micros ?? Number.NaN
  print(
    `\nA refusal costs ${two(refused.micros / proxiedMicros)} of a proxied request (${refused.micros.toFixed(1)} µs);`,
  )
  print(`${refused.bytes} bytes were written during ${refused.requests} refusals`)

  say('failover')
  const failover = await failoverAdds(quick ? 100 : 500)
  print(`\nFailover adds ${two(failover.addedMs)} ms to the first byte beyond the second attempt's own time`)

  say('open streams')
  const streams = await memoryPerStream(quick ? 500 : 2_000)
  print(`${streams.count} open streams take ${(streams.bytesEach / 1_024).toFixed(1)} KiB each`)

  say('engine')
  const selection: Record<string, number> = {}
  for (const members of [10, 1_000, 10_000, 100_000]) selection[members] = await selectionMicros(members)
  print(
    `\nSelection and report: ${Object.entries(selection)
      .map(([n, us]) => `${n} members ${two(us)} µs`)
      .join(', ')}`,
  )
  const transitions = await transitionsPerSecond()
  print(
    `Durable transitions: ${Math.round(transitions.waiting)}/s one by one, ${Math.round(transitions.flowing)}/s flowing`,
  )

  say('at rest')
  const atRest = await alone(spillway(), async (proxy) => ({
    idleBytes: residentBytes(proxy.pids()[0] ?? 0),
    startMs: proxy.startMs ?? Number.NaN,
  }))
  print(`Start ${Math.round(atRest.startMs)} ms, ${Math.round(atRest.idleBytes / 1_048_576)} MiB at rest`)

  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version }
  const report = {
    at: new Date().toISOString(),
    machine,
    plan,
    rows,
    missing,
    refused,
    failover,
    streams,
    selection,
    transitions,
    atRest,
  }
  mkdirSync('dist', { recursive: true })
  writeFileSync('dist/bench.json', `${JSON.stringify(report, null, 2)}\n`)
  print('\nall numbers: dist/bench.json')
}

await main()
process.exit(0)
