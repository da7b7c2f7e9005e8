/** What the origin of the benchmarks says; the load generator knows it too and checks it. */

export const kilobyte = Buffer.from(
  JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion', filler: 'x'.repeat(965) }),
)

export const event = Buffer.from(`data: {"choices":[{"index":0,"delta":{"content":"word "}}]}\n\n`)
export const done = Buffer.from('data: [DONE]\n\n')

export const limited = JSON.stringify({
  error: { message: 'Rate limit reached', type: 'requests', code: 'rate_limit_exceeded' },
})

/** An event that says which one of its stream it is, so that a lost, doubled or reordered one is seen. */
export function numberedEvent(n: number): string {
  return `data: {"choices":[{"index":0,"delta":{"content":"word "}}],"n":${n}}\n\n`
}
