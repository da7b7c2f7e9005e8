import { stripVTControlCharacters, styleText } from 'node:util'

/** Whether stdout shows colours. */
const isColoured = process.stdout.isTTY === true && !process.env.NO_COLOR

export const paint = (style: Parameters<typeof styleText>[0], text: string) =>
  isColoured ? styleText(style, text) : text

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** A terminal that is taken over until it is given back, as `status --watch` uses it. */
export interface TakenScreen {
  show(text: string): void
  restore(): void
}

/** What a page is written to. */
interface Paper {
  readonly rows?: number | undefined
  readonly columns?: number | undefined
  write(text: string): unknown
}

/**
 * A story as it is told: what was said stays, and lines below it change. On a terminal that is taken over, the end of it is
 * shown as far as there is room, and all that was said is there when the terminal is given back.
 */
export class Page {
  readonly #out: Paper
  readonly #takeOver: (() => TakenScreen) | null
  readonly #said: string[] = []
  #changing: readonly string[] = []
  #screen: TakenScreen | null = null
  #isWritten = false

  /** `takeOver` is null where stdout is no terminal. */
  constructor(out: Paper, takeOver: (() => TakenScreen) | null) {
    this.#out = out
    this.#takeOver = takeOver
    // A story that a signal ends gives the terminal back, too.
    process.once('exit', this.#giveBack)
  }

  /** Whether changing lines are shown in one place. */
  get isLive(): boolean {
    return this.#takeOver !== null
  }

  say(text: string): void {
    this.#said.push(...text.split('\n'))
    if (this.#takeOver === null) this.#out.write(`${text}\n`)
    else this.#draw()
  }

  /** The lines in the place of those that were shown last; without a terminal, one more line. */
  show(lines: readonly string[]): void {
    this.#changing = lines
    if (this.#takeOver === null)
      this.#out.write(`  ${lines.map((line) => line.trim().replaceAll(/ +/g, ' ')).join('; ')}\n`)
    else this.#draw()
  }

  /** What changed until now stays as it is. */
  keep(): void {
    if (this.#takeOver !== null) this.#said.push(...this.#changing)
    this.#changing = []
  }

  close(): void {
    process.off('exit', this.#giveBack)
    this.#giveBack()
  }

  #draw(): void {
    this.#screen ??= this.#takeOver?.() ?? null
    const { rows = 24, columns = 80 } = this.#out
    this.#screen?.show(lastOf([...this.#said, ...this.#changing], rows, columns).join('\n'))
  }

  readonly #giveBack = (): void => {
    if (this.#screen === null || this.#isWritten) return
    this.#isWritten = true
    this.#screen.restore()
    this.#out.write(`${[...this.#said, ...this.#changing].join('\n')}\n`)
  }
}

/** The last lines that so many rows have room for; a line that is too long takes several. */
export function lastOf(lines: readonly string[], rows: number, columns: number): readonly string[] {
  let room = rows
  let from = lines.length
  while (from > 0) {
    const width = stripVTControlCharacters(lines[from - 1] ?? '').length
    room -= Math.max(1, Math.ceil(width / columns))
    if (room < 0) break
    from--
  }
  return lines.slice(from)
}
