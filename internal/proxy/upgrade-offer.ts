import type { IncomingMessage } from 'node:http'

const offers = new Set(['upgrade', 'http2-settings'])

/** The head of a parsed request again, without its offer to change the protocol (RFC 9110, 7.8). */
export function withoutOffer({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  let head = `${method} ${url} HTTP/${httpVersion}\r\n`
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string
    const value = rawHeaders[at + 1] as string
    if (offers.has(name.toLowerCase())) continue
    const kept = name.toLowerCase() === 'connection' ? withoutOffers(value) : value
    if (kept !== null) head += `${name}: ${kept}\r\n`
  }
  return Buffer.from(`${head}\r\n`, 'latin1')
}

function withoutOffers(options: string): string | null {
  const kept = options.split(',').filter((option) => !offers.has(option.trim().toLowerCase()))
  return kept.length === 0 ? null : kept.join(',').trim()
}
