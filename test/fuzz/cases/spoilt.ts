import type { Random } from './random.ts'

/** What parsers look at. */
const interesting = [
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  '\0',
  ' ',
  ':',
  '0',
  '\xff',
  '\t',
  'chunked',
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Expect: 100-continue\r\n',
  'Upgrade: websocket\r\nConnection: upgrade\r\n',
]

/** Text with a few bytes changed, lost, doubled or put in, most of them in its head. */
export function spoilt(random: Random, text: string): string {
  let changed = text
  for (let times = random.between(1, 3); times > 0; times--) changed = spoiltOnce(random, changed)
  return changed
}

function spoiltOnce(random: Random, text: string): string {
  const limit = random.chance(0.7) ? Math.min(text.length, text.indexOf('\r\n\r\n') + 4) : text.length
  const at = random.below(Math.max(1, limit))
  const put = random.chance(0.6) ? random.pick(interesting) : String.fromCharCode(random.below(256))
  const lost = random.weighted([
    [4, 0],
    [4, put.length],
    [2, random.between(1, 12)],
    [1, 1],
  ])
  if (random.chance(0.1)) return text.slice(0, at) + text.slice(Math.max(0, at - 20), at) + text.slice(at)
  return text.slice(0, at) + put + text.slice(at + lost)
}
