import { type Cell, textOf } from '../screen.ts'

/** A line about one thing: what it begins with, a sentence, and figures that are left out where there is no room for them. */
export interface Row {
  readonly lead: readonly Cell[]
  readonly sentence: Cell
  /** From the most to the least important. */
  readonly figures?: readonly Cell[]
}

const gap = '  '

/** The number of columns that the cell takes. */
function widthOf(cell: Cell): number {
  return textOf(cell).length
}

/**
 * The rows as lines of cells of at most `width` columns (null: as wide as they are). The figures of all rows stand in
 * columns; those that do not fit are left out, from the least important, and a sentence that does not fit goes on below itself.
 */
export function laidOut(rows: readonly Row[], width: number | null): Cell[][] {
  const room = width ?? Number.POSITIVE_INFINITY
  const widths = figureWidths(rows)
  const body = Math.max(
    0,
    ...rows.filter(({ figures }) => figures?.length).map((row) => leadWidth(row) + widthOf(row.sentence)),
  )
  let shown = widths.length
  while (shown > 0 && body + figuresWidth(widths.slice(0, shown)) > room) shown--
  return rows.flatMap((row) => lines(row, { room, body, widths: widths.slice(0, shown) }))
}

/** How wide each column of figures is. */
function figureWidths(rows: readonly Row[]): number[] {
  const widths: number[] = []
  for (const { figures = [] } of rows)
    for (const [column, cell] of figures.entries()) widths[column] = Math.max(widths[column] ?? 0, widthOf(cell))
  return widths
}

function figuresWidth(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + (width > 0 ? gap.length + width : 0), 0)
}

function leadWidth({ lead }: Row): number {
  return lead.reduce((sum, cell) => sum + widthOf(cell), 0)
}

interface Space {
  readonly room: number
  /** The widest beginning and sentence of a row with figures. */
  readonly body: number
  readonly widths: readonly number[]
}

function lines(row: Row, { room, body, widths }: Space): Cell[][] {
  const { lead, sentence, figures = [] } = row
  const indent = leadWidth(row)
  if (figures.length > 0 && widths.length > 0) {
    const line: Cell[] = [...lead, sentence, ' '.repeat(Math.max(0, body - indent - widthOf(sentence)))]
    for (const [column, width] of widths.entries()) {
      if (width === 0) continue
      const cell = figures[column] ?? ''
      line.push(gap, cell, ' '.repeat(width - widthOf(cell)))
    }
    return [line]
  }
  const [first = '', ...rest] = wrapped(textOf(sentence), Math.max(12, room - indent))
  const inked = (text: string): Cell => (typeof sentence === 'string' ? text : { ...sentence, text })
  return [[...lead, inked(first)], ...rest.map((text) => [' '.repeat(indent), inked(text)])]
}

/** The text in lines of at most `width` columns, broken between words; a longer word is broken where the line ends. */
export function wrapped(text: string, width: number): string[] {
  const found: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      found.push(line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
    while (line.length > width) {
      found.push(line.slice(0, width))
      line = line.slice(width)
    }
  }
  return [...found, line]
}
