/**
 * `npm run fuzz -- --cases N --seed S [--parts P] [--kind K] [--upstream tcp|tls|undici] [--at-once C] [--findings F]`: plays N cases of the data port
 * from seed S on, then P cases of each part that is driven without sockets, shows counts by kind, and ends with 1 when
 * something was found.
 */
import { parseArgs } from 'node:util'
import { shown } from './cases/case.ts'
import { Random } from './cases/random.ts'
import { partFault, partNames } from './parts.ts'
import { type Counts, type Finding, Run } from './play/run.ts'
import { wayOf } from './play/ways.ts'

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    parts: { type: 'string', default: '0' },
    kind: { type: 'string' },
    upstream: { type: 'string', default: 'tcp' },
    'at-once': { type: 'string', default: '128' },
    findings: { type: 'string', default: '10' },
  },
})

const begun = performance.now()
let told = begun

function table({ cases, played, excluded, upstreamRequests }: Counts): string {
  const seconds = (performance.now() - begun) / 1_000
  const { user, system } = process.cpuUsage()
  const rows = [...cases]
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([kind, count]) => `${kind.padEnd(14)}${String(count).padStart(12)}`)
  const sum = `${'all'.padEnd(14)}${String(played).padStart(12)}`
  const pace = `${excluded} excluded, ${upstreamRequests} upstream requests, ${seconds.toFixed(0)} s, ${((user + system) / 1e6).toFixed(0)} s of processor time, ${(played / seconds).toFixed(0)} cases/s, ${(process.memoryUsage().rss / 1_048_576).toFixed(0)} MB`
  return [...rows, sum, pace].join('\n')
}

let shownFindings = 0

function show({ case: one, faults, isSteady }: Finding): void {
  const again = `FUZZ_SEED=${one.seed} FUZZ_CASES=1 FUZZ_KIND=${one.kind}${way === 'tcp' ? '' : ` FUZZ_UPSTREAM=${way}`}`
  console.log(`\nFINDING${isSteady ? '' : ' (not each time)'}: ${again}`)
  console.log(faults.map((fault) => `  ! ${fault}`).join('\n'))
  console.log(shown(one))
}

const seed = Number(values.seed)
const way = wayOf(values.upstream)
console.log(`node ${process.version}, seed ${seed}, upstream over ${way}`)
const run = new Run({
  seed,
  cases: Number(values.cases),
  kind: values.kind ?? null,
  way,
  atOnce: Number(values['at-once']),
  perRound: 512,
  mostFindings: Number(values.findings),
  onRound(counts) {
    for (const finding of run.findings.slice(shownFindings)) show(finding)
    shownFindings = run.findings.length
    if (performance.now() - told < 30_000) return
    told = performance.now()
    console.log(`${counts.played} cases, ${run.findings.length} findings, ${((told - begun) / 1_000).toFixed(0)} s`)
  },
})
process.on('SIGINT', () => run.stop()).on('SIGTERM', () => run.stop())
await run.play()
console.log(table(run.counts))
let partFaults = 0
for (const name of Number(values.parts) > 0 ? partNames : []) {
  let faults = 0
  for (let at = 0; at < Number(values.parts); at++) {
    const fault = partFault(name, new Random(seed + at))
    if (fault === null) continue
    if (++faults <= 3) console.log(`\nFINDING: seed ${seed + at} of ${name}: ${fault}`)
  }
  partFaults += faults
  console.log(`${name.padEnd(16)}${values.parts.padStart(10)}  ${faults} findings (without sockets)`)
}
process.exit(run.findings.length + partFaults > 0 ? 1 : 0)
