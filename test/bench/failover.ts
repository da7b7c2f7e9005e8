/** What a failover adds to the time to the first byte. */
import { request } from 'node:http'
import { performance } from 'node:perf_hooks'
import { type Finding, median, type Spread, said, saidSpread } from './finding.ts'
import { together } from './together.ts'
import { type Running, spillway } from './variants.ts'

/** ms until the head of one answer is here; rejects when it is not 200. */
function headMs({ port, path, headers }: Pick<Running, 'port' | 'path' | 'headers'>): Promise<number> {
  const body = JSON.stringify({ model: 'gpt-5', messages: [] })
  return new Promise((resolve, reject) => {
    const started = performance.now()
    const sent = request({ port, path, headers, method: 'POST', host: '127.0.0.1' }, (answer) => {
      const ms = performance.now() - started
      answer
        .resume()
        .on('end', () => (answer.statusCode === 200 ? resolve(ms) : reject(new Error(`${answer.statusCode}`))))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/**
 * A request whose first member answers 429 against one that is served at once and one that goes to the origin without
 * a proxy, in turn. What one trip to the origin takes is the second attempt's own time.
 */
export function failover(count: number): Promise<Finding> {
  // A round robin of members that are limited and well in turn: each request meets one of each.
  const shape = { members: 2 * count, limited: 'even', strategy: 'round-robin' } as const
  const variants = [spillway('straight'), spillway('failing over', shape)]
  return together(variants, async ({ proxies: [straight, failing], origin }) => {
    if (!straight || !failing) throw new Error('spillway did not start')
    const direct = { port: origin.port, path: '/v1/chat/completions', headers: straight.headers }
    const rounds: { directMs: number; straightMs: number; failedOverMs: number }[] = []
    for (let round = 0; round < count; round++) {
      const directMs = await headMs(direct)
      rounds.push({ directMs, straightMs: await headMs(straight), failedOverMs: await headMs(failing) })
    }
    return findingOf(rounds.slice(Math.floor(count / 5)))
  })
}

function findingOf(rounds: readonly { directMs: number; straightMs: number; failedOverMs: number }[]): Finding {
  const more = middleHalf(rounds.map(({ straightMs, failedOverMs }) => failedOverMs - straightMs))
  const added = middleHalf(rounds.map(({ directMs, straightMs, failedOverMs }) => failedOverMs - straightMs - directMs))
  const directMs = median(rounds.map((round) => round.directMs))
  const straightMs = median(rounds.map((round) => round.straightMs))
  const failedOverMs = median(rounds.map((round) => round.failedOverMs))
  return {
    lines: [
      `First byte: ${said(directMs)} ms from the origin, ${said(straightMs)} ms through spillway, ` +
        `${said(failedOverMs)} ms with a failover`,
      `A failover adds ${saidSpread(more)} ms, ${saidSpread(added)} ms beyond the second attempt's own time ` +
        '(the middle half of all, round by round)',
    ],
    facts: { directMs, straightMs, failedOverMs, more, added },
    targets: [{ name: 'a failover adds to the first byte, ms', value: added.median, atMost: 1 }],
  }
}

/** Of hundreds of single requests the extremes say only that the machine did something else once. */
function middleHalf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN
  return { median: median(values), min: at(0.25), max: at(0.75) }
}
