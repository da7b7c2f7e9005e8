import { request } from 'node:http'
import { performance } from 'node:perf_hooks'
import { median } from './compare.ts'
import { alone } from './proxied.ts'
import { type Running, spillway } from './variants.ts'

/** ms until the head of one answer is here; rejects when it is not 200. */
function headMs({ port, path, headers }: Running): Promise<number> {
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

async function medianHead(proxy: Running, count: number): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < count; i++) times.push(await headMs(proxy))
  return median(times.slice(Math.floor(count / 5)))
}

/**
 * What a failover adds to the time to the first byte: a request whose first member always answers 429 against one that
 * is served at once, less one more round trip to the origin.
 */
export async function failoverAdds(
  count: number,
): Promise<{ addedMs: number; straightMs: number; failedOverMs: number }> {
  const straightMs = await alone(spillway('straight', { members: 2, limited: 0 }), (proxy) => medianHead(proxy, count))
  // A round robin of members that are limited and well in turn: each request meets one of each.
  const shape = { members: 2 * count, limited: 'even', strategy: 'round-robin' } as const
  const failedOverMs = await alone(spillway('failing over', shape), (proxy) => medianHead(proxy, count))
  return { straightMs, failedOverMs, addedMs: failedOverMs - 2 * straightMs }
}
