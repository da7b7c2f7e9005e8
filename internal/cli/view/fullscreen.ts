import type { CliIo, TakenTerminal } from '../port.ts'

const enter = '\u001b[?1049h\u001b[?25l'
const leave = '\u001b[?25h\u001b[?1049l'
const home = '\u001b[H'
const restOfLine = '\u001b[K'
const restOfScreen = '\u001b[J'

/** Takes the terminal over (the alternate screen of xterm and those who follow it). */
export function takeOver(stdout: Pick<CliIo['stdout'], 'rows' | 'write'>): TakenTerminal {
  stdout.write(enter)
  let isTaken = true
  return {
    show(text) {
      const lines = fitted(text.replace(/\n$/, '').split('\n'), stdout.rows ?? 24)
      // Line by line over what is there: cleared first, it would flicker.
      stdout.write(`${home}${lines.map((line) => `${line}${restOfLine}`).join('\r\n')}${restOfScreen}`)
    },
    restore() {
      if (!isTaken) return
      isTaken = false
      stdout.write(leave)
    },
  }
}

/** The lines that a terminal of so many rows shows; the last says how many more there are. */
export function fitted(lines: readonly string[], rows: number): readonly string[] {
  if (lines.length <= rows) return lines
  const shown = lines.slice(0, Math.max(1, rows - 1))
  return [...shown, `… ${lines.length - shown.length} more lines; spillway status shows all`]
}
