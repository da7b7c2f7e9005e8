/** Which audit rows have been heard: all up to `upTo`, and those of `ahead`, which were announced before their turn. */
export interface Cursor {
  readonly upTo: number
  readonly ahead: readonly number[]
}

/** Whether the row was heard already. */
export function isHeard(cursor: Cursor, seq: number): boolean {
  return seq <= cursor.upTo || cursor.ahead.includes(seq)
}

/** The cursor with one more row heard. */
export function heard(cursor: Cursor, seq: number): Cursor {
  return isHeard(cursor, seq) ? cursor : closed({ upTo: cursor.upTo, ahead: [...cursor.ahead, seq] })
}

/** The cursor when the audit log was read up to `seq`: numbers that are missing below it do not exist. */
export function readUpTo(cursor: Cursor, seq: number): Cursor {
  return closed({ upTo: Math.max(cursor.upTo, seq), ahead: cursor.ahead })
}

/** Whether rows below those of `ahead` are missing. */
export function hasGap(cursor: Cursor): boolean {
  return cursor.ahead.length > 0
}

/** The cursor that was stored; null when there is none. */
export function cursorOf(text: string | undefined): Cursor | null {
  const match = /^(\d+)(?:;([\d,]+))?$/.exec(text ?? '')
  if (!match) return null
  return closed({ upTo: Number(match[1]), ahead: match[2] === undefined ? [] : match[2].split(',').map(Number) })
}

/** The cursor as it is stored. */
export function textOf({ upTo, ahead }: Cursor): string {
  return ahead.length === 0 ? String(upTo) : `${upTo};${ahead.join(',')}`
}

function closed({ upTo, ahead }: Cursor): Cursor {
  const rest = [...new Set(ahead)].filter((seq) => seq > upTo).sort((one, other) => one - other)
  let reached = upTo
  while (rest[0] === reached + 1) {
    reached++
    rest.shift()
  }
  return { upTo: reached, ahead: rest }
}
