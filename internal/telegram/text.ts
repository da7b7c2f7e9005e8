/** Telegram refuses longer messages and longer answers to buttons. */
const mostMessage = 4_096
const mostAnswer = 200

/** The text as one message, cut with an ellipsis when it is too long; a surrogate pair is never split. */
export function message(text: string): string {
  return cut(text, mostMessage)
}

/** A stretch of a text that Telegram shows as code: a tap copies it. Its offsets count UTF-16 units, as strings do here. */
export interface Code {
  readonly type: 'code'
  readonly offset: number
  readonly length: number
}

/** Where the command stands in the text, the last time; nothing when it does not. No markup is read, so that names stay data. */
export function codeIn(text: string, command: string | null): { readonly entities?: Code[] } {
  const offset = command === null ? -1 : text.lastIndexOf(command)
  return command === null || offset < 0 ? {} : { entities: [{ type: 'code', offset, length: command.length }] }
}

/** The first line of the text as the answer to a pressed button. */
export function answer(text: string): string {
  return cut(text.split('\n')[0] ?? '', mostAnswer)
}

function cut(text: string, most: number): string {
  if (text.length <= most) return text
  const kept = text.slice(0, most - 1)
  return `${/[\uD800-\uDBFF]$/.test(kept) ? kept.slice(0, -1) : kept}…`
}

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** The milliseconds that `90s`, `30m`, `1h`, `1h30m` or `2d` mean; null for anything else, and for nothing. */
export function lengthOf(text: string): number | null {
  if (!/^(\d{1,6}[smhd])+$/i.test(text)) return null
  let total = 0
  for (const [, count, unit] of text.toLowerCase().matchAll(/(\d+)([smhd])/g))
    total += Number(count) * (units[unit ?? ''] ?? 0)
  return total > 0 ? total : null
}
