import type { CliIo } from './port.ts'

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const
export type Ink = keyof typeof codes

/** A table cell: its text, and the ink that a terminal shows it in. */
export type Cell = string | { readonly text: string; readonly ink: Ink }

/** Where a command writes: results on stdout, everything else on stderr with the program's name before it. */
export interface Screen {
  /** Whether stdout is a terminal that shows colours. */
  readonly colour: boolean
  paint(ink: Ink, text: string): string
  /** One or more lines of the result. */
  print(text: string): void
  /** The result as indented JSON. */
  json(value: unknown): void
  /** Rows under headings, columns aligned. */
  table(headings: readonly string[], rows: readonly (readonly Cell[])[]): void
  /** A remark that is not part of the result. */
  note(text: string): void
  /** What went wrong, and on a second line what can be done. */
  complain(message: string, hint: string | null): void
}

/** The screen for these streams; colour on a terminal only, and never with NO_COLOR (no-color.org). */
export function screenOf(io: Pick<CliIo, 'stdout' | 'stderr' | 'env'>): Screen {
  const colour = io.stdout.isTTY === true && !io.env.NO_COLOR && io.env.TERM !== 'dumb'
  const paint = (ink: Ink, text: string) => (colour && text ? `\u001b[${codes[ink]}m${text}\u001b[0m` : text)
  const print = (text: string) => io.stdout.write(`${text}\n`)
  const say = (text: string) => io.stderr.write(`${text.replace(/^/gm, 'spillway: ')}\n`)
  return {
    colour,
    paint,
    print,
    json: (value) => print(JSON.stringify(value, null, 2)),
    table: (headings, rows) => print(aligned([headings, ...rows], paint)),
    note: say,
    complain(message, hint) {
      say(message.replace(/^/gm, 'error: '))
      if (hint !== null) say(hint.replace(/^/gm, 'hint: '))
    },
  }
}

function aligned(rows: readonly (readonly Cell[])[], paint: (ink: Ink, text: string) => string): string {
  const widths: number[] = []
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, textOf(cell).length)
  return rows
    .map((row, line) => {
      const cells = row.map((cell, column) => {
        const text = textOf(cell)
        const ink = line === 0 ? 'dim' : typeof cell === 'string' ? null : cell.ink
        const filler = ' '.repeat((widths[column] ?? 0) - text.length)
        return (ink === null ? text : paint(ink, text)) + filler
      })
      return cells.join('   ').trimEnd()
    })
    .join('\n')
}

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text
}
