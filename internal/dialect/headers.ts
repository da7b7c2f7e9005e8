/** The name without what proxies and frameworks treat alike: `X_Api_Key`, `x-api-key` and `X-API-Key` are one. */
export const sameName = remembered((name) => name.toLowerCase().replace(/[^a-z0-9]/g, ''))

/** Headers repeat from request to request: what they mean is remembered, up to bounds that no client can move. */
export function remembered<Result>(find: (text: string) => Result): (text: string) => Result {
  const known = new Map<string, Result>()
  return (text) => {
    const before = known.get(text)
    if (before !== undefined) return before
    const found = find(text)
    if (known.size < 1_000 && text.length < 100) known.set(text, found)
    return found
  }
}

/** Removes every header of that name, in any spelling, from raw name-value pairs. */
export function dropHeader(headers: string[], name: string): void {
  const wanted = sameName(name)
  for (let at = headers.length - 2; at >= 0; at -= 2) {
    const name = headers[at]!
    // What is left out can only make a name shorter.
    if (name.length >= wanted.length && sameName(name) === wanted) headers.splice(at, 2)
  }
}

/** Sets the header once, in place of any that was there. */
export function setHeader(headers: string[], name: string, value: string): void {
  dropHeader(headers, name)
  headers.push(name, value)
}

/** Sets `Authorization: Bearer …`. */
export function setBearer(headers: string[], secret: string): void {
  setHeader(headers, 'authorization', `Bearer ${secret}`)
}

/** Adds `item` to the comma-separated list in that header, unless it is there, and leaves the client's own items alone. */
export function addToList(headers: string[], name: string, item: string): void {
  let last = -1
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at]!.toLowerCase() !== name) continue
    const items = headers[at + 1]!.split(',').map((part) => part.trim())
    if (items.includes(item)) return
    if (items.some((part) => part !== '')) last = at + 1
  }
  if (last < 0) setHeader(headers, name, item)
  else headers[last] += `,${item}`
}
