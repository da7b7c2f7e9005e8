/** What requests cost where the upstream speaks TLS, as providers do, on connections that are kept. */
import { compare, compareAtOnce, type Plan, type Scenario } from './compare.ts'
import type { Finding, Target } from './finding.ts'
import { linesOf, plain, type Row, ratioIn, rowOf } from './proxied.ts'
import { together } from './together.ts'
import { bareHttpProxy, bareUndici, floor, haproxy, nginx, spillway } from './variants.ts'

const paced: Scenario = { ...plain, name: 'TLS upstream, POST 2 KB, 300 requests/s each, at the same time', rate: 300 }
const full: Scenario = { ...plain, name: 'TLS upstream, POST 2 KB, as many as each can take' }
const prompt: Scenario = {
  ...plain,
  name: 'TLS upstream, POST 400 KB, 20 requests/s each, at the same time',
  bodyBytes: 409_600,
  connections: 8,
  rate: 20,
}

/** All proxies before one origin that speaks TLS. */
export function secure(plan: Plan, say: (line: string) => void): Promise<Finding> {
  const variants = [nginx, haproxy, bareHttpProxy, bareUndici, floor, spillway()]
  return together(
    variants,
    async ({ proxies, missing }) => {
      const rows: Row[] = []
      // The first warms up for the others: at a low rate that would take minutes.
      for (const scenario of [full, paced, prompt]) {
        say(scenario.name)
        const contenders = proxies.map((proxy) => ({ proxy, scenario }))
        const lengths = { ...plan, warmUpMs: scenario === full ? plan.warmUpMs : plan.warmUpMs / 4 }
        const measured = scenario.rate ? compareAtOnce(contenders, lengths) : compare(contenders, lengths)
        rows.push(rowOf(scenario, await measured))
      }
      const notMeasured = missing.map((what) => `not measured: ${what}`)
      return { lines: [...rows.flatMap(linesOf), ...notMeasured], facts: { rows, missing }, targets: targetsOf(rows) }
    },
    { isSecure: true },
  )
}

function targetsOf(rows: readonly Row[]): Target[] {
  return [
    { name: 'TLS upstream, CPU per request ÷ nginx', value: ratioIn(rows, paced, nginx.name), atMost: 1.5 },
    {
      name: 'TLS upstream, CPU per request ÷ http-proxy',
      value: ratioIn(rows, paced, bareHttpProxy.name),
      atMost: 0.5,
    },
    { name: 'TLS upstream, CPU per 400 KB ÷ nginx', value: ratioIn(rows, prompt, nginx.name), atMost: 1.2 },
  ]
}
