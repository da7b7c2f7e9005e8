import type { DoctorRow } from '../../ops/ops.ts'
import type { Ink, Screen } from '../screen.ts'
import { laidOut, type Row } from './layout.ts'

const inks: Readonly<Record<DoctorRow['state'], Ink>> = { ok: 'green', warn: 'yellow', fail: 'red' }

/** Below this width what was found stands under what was looked at, not beside it. */
const narrow = 70

/** What the doctor found: a state, what was looked at, what it found and, unless all is well, what to do. */
export function printDoctor(screen: Screen, rows: readonly DoctorRow[]): void {
  const longest = Math.max(...rows.map(({ check }) => check.length))
  const isNarrow = screen.width !== null && screen.width < narrow
  const found = rows.flatMap((row) => (isNarrow ? below(row) : beside(row, longest)))
  for (const line of laidOut(found, screen.width)) screen.line(line)
}

function beside({ check, state, message, hint }: DoctorRow, longest: number): Row[] {
  const margin = ' '.repeat(longest + 10)
  const [first = '', ...rest] = message.split('\n')
  return [
    { lead: [{ text: state.padEnd(4), ink: inks[state] }, `   ${check.padEnd(longest)}   `], sentence: first },
    ...rest.map((sentence): Row => ({ lead: [margin], sentence })),
    ...advice(margin, state, hint),
  ]
}

function below({ check, state, message, hint }: DoctorRow): Row[] {
  const margin = ' '.repeat(5)
  return [
    { lead: [{ text: state.padEnd(5), ink: inks[state] }], sentence: { text: check, ink: 'bold' } },
    ...message.split('\n').map((sentence): Row => ({ lead: [margin], sentence })),
    ...advice(margin, state, hint),
  ]
}

function advice(margin: string, state: DoctorRow['state'], hint: string | null): Row[] {
  return hint === null || state === 'ok' ? [] : [{ lead: [margin], sentence: { text: hint, ink: 'dim' } }]
}
