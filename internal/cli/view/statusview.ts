import type { IncidentShape, StatusShape } from '../../ops/ops.ts'
import { span } from '../../when/when.ts'
import type { Cell, Screen } from '../screen.ts'
import { relative } from '../when.ts'
import { laidOut, type Row } from './layout.ts'
import { printPoolViews } from './poolview.ts'

/** Everything at a glance: the daemon, each pool with its members, and what is wrong. */
export function printStatus(screen: Screen, status: StatusShape, now: number): void {
  for (const line of laidOut([{ lead: [], sentence: headline(status, now) }], screen.width)) screen.line(line)
  screen.print('')
  if (status.pools.length === 0)
    screen.print('no pools; spillway cred add NAME --provider P, then spillway pool create')
  printPoolViews(screen, status.pools, now)
  printReplicas(screen, status.replicas, now)
  if (status.incidents.length === 0) return
  screen.print('')
  // One that is told with its cause has nothing to add; without a daemon nothing is told.
  const told = status.startedAt === null ? status.incidents : status.incidents.filter(({ text }) => text !== null)
  const rows = told.map((one) => incidentRow(one, now, screen.isPlain))
  for (const line of laidOut(rows, screen.width)) screen.line(line)
}

/** `spillway 0.1.0 · up 3 d · http://127.0.0.1:8460 · 2 incidents`; red when agents find nobody there. */
function headline({ version, startedAt, origin, incidents }: StatusShape, now: number): Cell {
  const name = `spillway ${version}`
  if (startedAt === null)
    return {
      text: `${name} is NOT RUNNING: agents get connection refused at ${origin}. Run: spillway serve`,
      ink: 'red',
    }
  const troubles =
    incidents.length === 0 ? [] : [incidents.length === 1 ? '1 incident' : `${incidents.length} incidents`]
  return [name, `up ${span(now - Date.parse(startedAt))}`, origin, ...troubles].join(', ')
}

/** The replicas, where there are several. */
function printReplicas(screen: Screen, replicas: StatusShape['replicas'], now: number): void {
  if (replicas.length < 2) return
  screen.print('')
  const rows = replicas.map(({ name, version, startedAt, seenAt, draining }): Row => {
    const state = draining ? 'drains, ' : ''
    const sentence = `replica ${name}: ${state}${version}, up ${span(now - Date.parse(startedAt))}, seen ${relative(seenAt, now)}`
    return { lead: [], sentence }
  })
  for (const line of laidOut(rows, screen.width)) screen.line(line)
}

function incidentRow(one: IncidentShape, now: number, isPlain: boolean): Row {
  return {
    lead: [{ text: isPlain ? '! ' : '▲ ', ink: 'red' }],
    sentence: one.text?.replaceAll('\n', ' ') ?? coded(one, now),
  }
}

/** The incident where there is no sentence for it. */
function coded({ pool, subject, kind, reason, openedAt }: IncidentShape, now: number): string {
  const about = [pool, subject].filter((name) => name !== null).join(' ')
  const what = kind.replaceAll('_', ' ')
  const why = reason === null ? '' : ` (${reason.replaceAll('-', ' ')})`
  return `${about === '' ? what : `${about}: ${what}`}${why}, ${relative(openedAt, now)}`
}
