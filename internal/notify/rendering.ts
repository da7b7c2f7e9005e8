import type { Clock } from '../clock/clock.ts'
import type { SayInstant } from '../when/when.ts'
import type { Ledger } from './delivery/ledger.ts'
import type { Rendering } from './delivery/teller.ts'
import { familyOf } from './incident/cause.ts'
import { groups } from './incident/condition.ts'
import type { Incident } from './incident/incident.ts'
import { type FailoverNotices, isSilent } from './incident/loudness.ts'
import { remediesOf } from './incident/remedy.ts'
import { message, turn } from './phrase/phrase.ts'
import type { Concerned, Saying } from './phrase/saying.ts'
import { summary } from './phrase/summary.ts'

/** What an incident that holds costs now, as the engine knows it. */
export interface Cost {
  /** Requests refused because of it so far; null when nobody counts them. */
  readonly refused: number | null
  /** The pools that it concerns. */
  readonly pools: readonly Concerned[]
}

interface RenderingDeps {
  readonly clock: Clock
  readonly ledger: Ledger
  readonly instant: SayInstant
  readonly weekday: (at: number) => string
  readonly host: string
  readonly settings: { readonly failover: FailoverNotices }
  readonly costNow?: (incident: Pick<Incident, 'kind' | 'pool' | 'subject'>) => Cost | null
}

/** How the incidents of the ledger are told now. */
export function renderingOf({ clock, ledger, instant, weekday, host, settings, costNow }: RenderingDeps): Rendering {
  const family = (incident: Incident) => familyOf(incident, ledger.incidents())
  const silent = (incidents: readonly Incident[]) => incidents.every((one) => isSilent(one, settings.failover))

  function sayingOf(incident: Incident): Saying {
    const cost = incident.closedAt === null ? costNow?.(incident) : null
    const refused = incident.kind === 'cred_failover' ? refusedMeanwhile(incident) : (cost?.refused ?? null)
    return { now: clock.now(), instant, weekday, host, refused, pools: cost?.pools ?? [] }
  }

  /** What exhaustions of the pool have cost since the first of the failovers. */
  function refusedMeanwhile({ pool, openedAt, closedAt }: Incident): number {
    const group = groups.exhaustion(pool)
    const within = ({ openedAt: at }: Incident) => at >= openedAt && at <= (closedAt ?? at)
    const refused = ledger.incidents().map((one) => {
      if (one.group !== group || !within(one)) return 0
      if (one.end?.kind === 'pool_recovered') return one.end.detail.refused
      return one.closedAt === null ? (costNow?.(one)?.refused ?? 0) : 0
    })
    return refused.reduce((sum, each) => sum + each, 0)
  }

  return {
    family,
    isSilent: silent,
    turn: (incident) => turn(incident, sayingOf(incident)),
    notice(incident) {
      const { id, version, kind, why, pool, subject, reason, openedAt, count } = incident
      const all = family(incident)
      const open = all.some((one) => one.closedAt === null && one.lasts)
      const closedAt = open ? null : Math.max(...all.map((one) => one.closedAt ?? 0))
      const facts = { incident: id, version, kind, why, pool, subject, reason, openedAt, closedAt, count }
      const remedies = all.flatMap((one) => remediesOf(one, clock.now()))
      return { ...facts, ...message(all, sayingOf), host, open, isSilent: silent(all), remedies, isRepeated: false }
    },
    summary: (incidents) => ({
      about: 'summary',
      text: summary(incidents, sayingOf),
      command: null,
      host,
      isSilent: true,
    }),
  }
}
