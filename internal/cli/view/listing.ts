import { type Cell, type Screen, textOf } from '../screen.ts'
import { laidOut, type Row } from './layout.ts'

/** A thing in a list: its name, how it is, and facts about it from the most to the least important. */
interface Listed {
  readonly name: string
  readonly state: Cell
  readonly facts: readonly Cell[]
}

/** Things under headings, a line for each: facts that have no room are left out, a state that has none goes on below itself. */
export function printListing(screen: Screen, headings: readonly string[], all: readonly Listed[]): void {
  const [name = '', state = '', ...facts] = headings
  const longest = Math.max(name.length, ...all.map((one) => one.name.length))
  const dim = (text: string): Cell => ({ text, ink: 'dim' })
  const head: Row = { lead: [dim(`${name.padEnd(longest)}   `)], sentence: dim(state), figures: facts.map(dim) }
  const rows = all.map((one): Row => {
    const figures = one.facts.map((fact) => (textOf(fact) === '' ? '-' : fact))
    return { lead: [`${one.name.padEnd(longest)}   `], sentence: one.state, figures }
  })
  for (const line of laidOut([head, ...rows], screen.width)) screen.line(line)
}
