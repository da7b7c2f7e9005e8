/** What somebody gave as a secret, without blanks and one pair of quotes around it, as env files and shells leave them. */
export function unquoted(given: string): string {
  const text = given.trim()
  const quote = text[0]
  if (text.length < 2 || (quote !== '"' && quote !== "'") || !text.endsWith(quote)) return text
  const inside = text.slice(1, -1)
  // Two quoted words are not one.
  return inside.includes(quote) ? text : inside.trim()
}
