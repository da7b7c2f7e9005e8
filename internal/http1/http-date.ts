let second = 0
let text = ''

/** The value of a `Date` header (RFC 9110, 6.6.1) at `now` in ms; it is made once a second. */
export function httpDate(now: number): string {
  const current = Math.floor(now / 1_000)
  if (current !== second) {
    second = current
    text = new Date(now).toUTCString()
  }
  return text
}
