/** The headers of a message as they came: name, value, name, value and so on. */
export type RawHeaders = readonly string[]

/** The value of a header in raw pairs, joined as node does when it is repeated; undefined without it. `name` is lower case. */
export function headerIn(raw: RawHeaders, name: string): string | undefined {
  let found: string | undefined
  for (let at = 0; at < raw.length; at += 2) {
    const candidate = raw[at] as string
    if (candidate.length !== name.length || candidate.toLowerCase() !== name) continue
    found = found === undefined ? raw[at + 1] : `${found}, ${raw[at + 1]}`
  }
  return found
}

/** Whether a request asks for a WebSocket, and only that (RFC 6455, 4.2.1). */
export function asksForWebSocket(headers: RawHeaders): boolean {
  return headerIn(headers, 'upgrade')?.trim().toLowerCase() === 'websocket'
}
