/** What turning a request away costs when the whole pool is exhausted, next to passing one on. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { compare, type Measured, type Plan, type Scenario } from './compare.ts'
import { type Finding, pairedRatio, saidSpread, spreadOf } from './finding.ts'
import { plain } from './proxied.ts'
import { together } from './together.ts'
import { spillway } from './variants.ts'

const refused: Scenario = { ...plain, name: 'refusal', status: 429, answerBytes: null }

/** An exhausted pool and a serving one in turn, each in a process of its own, and what the first one's data grew by. */
export function refusal(plan: Plan): Promise<Finding> {
  const exhausted = spillway('exhausted', { members: 2, limited: 2 })
  const serving = spillway('serving')
  return together([exhausted, serving], async ({ proxies: [full, well] }) => {
    if (!full?.data || !well) throw new Error('spillway did not start')
    // The first requests exhaust the pool, which is told on the disk once.
    const first = { ...plan, rounds: 1, warmUpMs: 200, roundMs: 800 }
    await compare([{ proxy: full, scenario: refused }], first)
    await wait(plan.openingMs)
    const before = sizeOf(full.data)
    const contenders = [
      { proxy: full, scenario: refused },
      { proxy: well, scenario: plain },
    ]
    const [refusing, passing] = await compare(contenders, plan)
    const bytes = sizeOf(full.data) - before
    const refusals = refusing?.samples.reduce((sum, { units }) => sum + units, 0) ?? 0
    const micros = microsOf(refusing)
    const ratio = pairedRatio(micros, microsOf(passing))
    return {
      lines: [
        `A refusal costs ${saidSpread(ratio)} of a proxied request, ${saidSpread(spreadOf(micros), 1)} µs;`,
        `${bytes} bytes were written during ${refusals} refusals`,
      ],
      facts: { micros: spreadOf(micros), ratio, bytes, refusals },
      targets: [
        { name: 'a refusal ÷ a proxied request', value: ratio.median, atMost: 0.4 },
        { name: 'bytes written by refusals', value: bytes, atMost: 0 },
      ],
    }
  })
}

function microsOf(measured: Measured | undefined): number[] {
  return measured?.samples.map(({ microsPerUnit }) => microsPerUnit) ?? []
}

/** Bytes of all files below a directory. */
function sizeOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name)
    return sum + (entry.isDirectory() ? sizeOf(path) : entry.isFile() ? statSync(path).size : 0)
  }, 0)
}
