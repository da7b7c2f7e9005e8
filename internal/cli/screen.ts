import type { CliIo } from './port.ts'

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const
export type Ink = keyof typeof codes

/** A table cell: its text, and the ink that a terminal shows it in. */
export type Cell = string | { readonly text: string; readonly ink: Ink }

type Paint = (ink: Ink, text: string) => string

/** Where a command writes: results on stdout, everything else on stderr with the program's name before it. */
export interface Screen {
  /** Whether stdout is a terminal that shows colours. */
  readonly colour: boolean
  /** How many columns stdout has; null where it is no terminal: lines are as long as they are. */
  readonly width: number | null
  /** Whether only ASCII can be relied on. */
  readonly isPlain: boolean
  paint(ink: Ink, text: string): string
  /** One or more lines of the result. */
  print(text: string): void
  /** One line of the result. */
  line(cells: readonly Cell[]): void
  /** The result as indented JSON. */
  json(value: unknown): void
  /** Rows under headings, columns aligned. */
  table(headings: readonly string[], rows: readonly (readonly Cell[])[]): void
  /** A remark that is not part of the result. */
  note(text: string): void
  /** What went wrong, and on a second line what can be done. */
  complain(message: string, hint: string | null): void
}

/** What a screen writes to. */
interface ScreenIo extends Pick<CliIo, 'stderr' | 'env'> {
  readonly stdout: Pick<CliIo['stdout'], 'write'> & {
    readonly isTTY?: boolean | undefined
    readonly columns?: number | undefined
  }
}

/** The screen for these streams; colour on a terminal only, and never with NO_COLOR (no-color.org). */
export function screenOf(io: ScreenIo): Screen {
  const colour = io.stdout.isTTY === true && !io.env.NO_COLOR && io.env.TERM !== 'dumb'
  const width = io.stdout.isTTY === true ? columnsOf(io) : null
  const isPlain = io.env.TERM === 'linux' || !/utf-?8/i.test(io.env.LC_ALL || io.env.LC_CTYPE || io.env.LANG || 'utf8')
  const paint = (ink: Ink, text: string) => (colour && text ? `\u001b[${codes[ink]}m${text}\u001b[0m` : text)
  const print = (text: string) => io.stdout.write(`${text}\n`)
  const say = (text: string) => io.stderr.write(`${text.replace(/^/gm, 'spillway: ')}\n`)
  return {
    colour,
    width,
    isPlain,
    paint,
    print,
    line: (cells) =>
      print(
        cells
          .map((cell) => painted(cell, paint))
          .join('')
          .trimEnd(),
      ),
    json: (value) => print(JSON.stringify(value, null, 2)),
    table: (headings, rows) => print(aligned([headings, ...rows], { paint, width, isPlain })),
    note: say,
    complain(message, hint) {
      say(message.replace(/^/gm, 'error: '))
      if (hint !== null) say(hint.replace(/^/gm, 'hint: '))
    },
  }
}

/** The columns of the terminal, at least as many as a line needs that says anything. */
function columnsOf({ stdout, env }: ScreenIo): number {
  const columns = stdout.columns ?? Number(env.COLUMNS)
  return Number.isInteger(columns) && columns > 0 ? Math.max(columns, 40) : 80
}

function painted(cell: Cell, paint: Paint): string {
  return typeof cell === 'string' ? shown(cell) : paint(cell.ink, shown(cell.text))
}

/** Without the control characters that a name from outside could hold, which a terminal would obey. */
function shown(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd')
}

interface Sheet extends Pick<Screen, 'width' | 'isPlain'> {
  readonly paint: Paint
}

function aligned(rows: readonly (readonly Cell[])[], { paint, width, isPlain }: Sheet): string {
  const widths: number[] = []
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, textOf(cell).length)
  const gap = width === null || sum(widths) + 3 * (widths.length - 1) <= width ? 3 : 2
  const room = width === null ? null : width - gap * (widths.length - 1)
  const fitted = room === null ? widths : narrowed(widths, room)
  return rows
    .map((row, line) => {
      const cells = row.map((cell, column) => {
        const text = cut(shown(textOf(cell)), fitted[column] ?? 0, isPlain)
        const ink = line === 0 ? 'dim' : typeof cell === 'string' ? null : cell.ink
        const filler = ' '.repeat((fitted[column] ?? 0) - text.length)
        return (ink === null ? text : paint(ink, text)) + filler
      })
      return cells.join(' '.repeat(gap)).trimEnd()
    })
    .join('\n')
}

/** No column of a table that is too wide gets narrower than this. */
const narrowest = 8

/** The widths of columns that fit into `room`: the widest gives way first, and none below 8. */
export function narrowed(widths: readonly number[], room: number): number[] {
  const found = [...widths]
  for (let excess = sum(found) - room; excess > 0; excess--) {
    const widest = found.indexOf(Math.max(...found))
    if ((found[widest] ?? 0) <= narrowest) break
    found[widest] = (found[widest] ?? 0) - 1
  }
  return found
}

function cut(text: string, width: number, isPlain: boolean): string {
  if (text.length <= width) return text
  const mark = isPlain ? '...' : '…'
  return text.slice(0, width - mark.length) + mark
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0)
}

/** The cell without its ink. */
export function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text
}
