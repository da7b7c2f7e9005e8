import { z } from 'zod'
import { inspectFiles } from '../../blocking/blocking.ts'
import { formatDuration, reserveOf, secretFiles } from '../../config/config.ts'
import { isLoopback } from '../../net/net.ts'
import { dialectFor, listed } from '../names.ts'
import { type Call, verb } from '../verb.ts'
import { channelRows } from './channels.ts'
import { credentialRows } from './credentials.ts'
import { exposureRows } from './exposure.ts'
import { guardRows } from './guarded.ts'
import { warded, wards } from './permissions.ts'
import { reach } from './reach.ts'
import type { DoctorRow } from './row.ts'
import { storeRows, unanswered } from './stored.ts'

/** How long one upstream, and all files together, may take to answer. */
const deadlineMs = 5_000
/** More upstream hosts than a person would read about. */
const maxHosts = 50
/** A clock may differ this much from what was written last: it is set in steps by time services. */
const clockToleranceMs = 60_000

export const doctorVerbs = {
  doctor: verb({
    method: 'GET',
    path: '/v1/doctor',
    args: z.strictObject({}),
    async run(call): Promise<DoctorRow[]> {
      const groups = await Promise.all([
        configuration(call),
        [runtime(call)],
        connections(call),
        files(call),
        storeRows(call),
        disk(call).catch((error: unknown) => [unanswered('disk', error)]),
        clock(call).catch((error: unknown) => [unanswered('clock', error)]),
        setup(call),
        credentialRows(call),
        exposureRows(call.config()),
        webRows(call),
        proxies(call),
        upstreams(call),
        call.guard.status().then(guardRows),
        channelRows(call, deadlineMs),
      ])
      return groups.flat()
    },
  }),
}

/** A row that is well unless it says how not. */
function row(
  check: string,
  message: string,
  trouble?: { readonly state: 'warn' | 'fail'; readonly hint: string | null },
): DoctorRow {
  return { check, state: trouble?.state ?? 'ok', message, hint: trouble?.hint ?? null }
}

/** Whether the web view can be reached; no row where there is none. */
function webRows({ web }: Call): DoctorRow[] {
  if (!web) return []
  if (web.problem === null) return [row('web', `the web view is at ${web.origin}: spillway web opens it`)]
  return [
    row('web', `the web view does not listen: ${web.problem}`, {
      state: 'warn',
      hint: 'name another address with web.listen, and start spillway again',
    }),
  ]
}

async function configuration(call: Call): Promise<DoctorRow[]> {
  const { problems = [], waiting = [] } = (await call.configNow?.()) ?? {}
  if (waiting.length > 0)
    return [
      row('configuration', `changed in its file, and not in force: ${listed(waiting)}`, {
        state: 'warn',
        hint: 'start the daemon again: these settings are read at its start only',
      }),
    ]
  if (problems.length === 0) return [row('configuration', 'every setting is understood')]
  return problems.map((problem) =>
    row('configuration', problem, { state: 'fail', hint: 'the configuration in force is the last good one' }),
  )
}

/** Without the fast path everything works, at about twice the cost of a request. */
function runtime({ runtime: { node, fastPath } }: Call): DoctorRow {
  if (fastPath === null) return row('node', `Node ${node}`)
  if (fastPath) return row('node', `Node ${node}, fast path active`)
  return row('node', `Node ${node} hides its parser, so the fast path is off: requests cost about twice as much`, {
    state: 'warn',
    hint: 'run it on a Node release that this version was tested on: 20, 22, 24 or 26',
  })
}

/** Whether requests wait for a connection, or have been refused for want of one. */
function connections({ runtime: { upstreams } }: Call): DoctorRow[] {
  if (!upstreams) return []
  const short = upstreams().filter(({ waiting, refused, open, most }) => refused > 0 || (waiting > 0 && open >= most))
  if (short.length === 0) return [row('connections', 'no request waits for one')]
  return short.map(({ origin, open, most, waiting, refused }) =>
    row('connections', `${origin}: ${open} of ${most} open, ${waiting} requests wait, ${refused} were refused`, {
      state: 'warn',
      hint: 'raise upstream.connections: long streams take one each',
    }),
  )
}

async function files(call: Call): Promise<DoctorRow[]> {
  const sources = call.engine.credentials().map(({ record }) => record.source)
  const watched = wards(call.paths, call.vault.keyId, {
    credentials: sources.flatMap((source) => (source.kind === 'file' ? [source.path] : [])),
    settings: secretFiles(call.config()),
  })
  const paths = watched.map(({ path }) => path)
  const facts = new Map((await inspectFiles(paths, deadlineMs, call.clock)).map((fact) => [fact.path, fact]))
  return watched.map((ward) => warded(ward, facts.get(ward.path)))
}

async function disk(call: Call): Promise<DoctorRow[]> {
  const { usedBytes, freeBytes, totalBytes } = await call.store.space()
  const reserveBytes = reserveOf(call.config().disk, totalBytes)
  const message = `${readable(freeBytes)} free, the store takes ${readable(usedBytes)}`
  const hint = `below the reserve of ${readable(reserveBytes)} optional writes stop; free some space or change disk.reserveBytes`
  if (freeBytes < reserveBytes) return [row('disk', message, { state: 'fail', hint })]
  if (freeBytes < 2 * reserveBytes) return [row('disk', message, { state: 'warn', hint })]
  return [row('disk', message)]
}

function readable(bytes: number): string {
  return bytes < 1024 ** 3 ? `${(bytes / 1024 ** 2).toFixed(1)} MiB` : `${(bytes / 1024 ** 3).toFixed(1)} GiB`
}

async function clock(call: Call): Promise<DoctorRow[]> {
  const newest = (await call.store.audit({ limit: 1 })).at(-1)
  const ahead = newest === undefined ? 0 : newest.at - call.clock.now()
  if (ahead <= clockToleranceMs) return [row('clock', 'not behind what was written last')]
  const message = `the clock is ${formatDuration(ahead, 2)} behind the newest audit row`
  return [
    row('clock', message, {
      state: 'warn',
      hint: 'cooldowns end too late until it catches up; check the time service',
    }),
  ]
}

/** Whether there is anything to serve with, and anybody to serve. */
async function setup(call: Call): Promise<DoctorRow[]> {
  const pools = call.engine.pools()
  const rows: DoctorRow[] = []
  if (call.engine.credentials().length === 0)
    rows.push(row('credentials', 'there are none', { state: 'warn', hint: 'spillway cred add NAME --provider P' }))
  if (pools.length === 0)
    rows.push(
      row('pools', 'there are none', { state: 'warn', hint: 'spillway pool create NAME --provider P --members A,B' }),
    )
  for (const { record, members, exhausted, retryAt } of pools) {
    const check = `pool ${record.name}`
    if (members.length === 0)
      rows.push(row(check, 'it has no members', { state: 'warn', hint: `spillway pool add ${record.name} MEMBER` }))
    else if (exhausted)
      rows.push(
        row(check, retryAt === null ? 'it is exhausted until a person acts' : 'it is exhausted', {
          state: 'warn',
          hint: `spillway pool explain ${record.name}`,
        }),
      )
    else
      rows.push(
        row(check, members.length === 1 ? 'one member: it has nobody to fail over to' : `${members.length} members`),
      )
  }
  return rows
}

/** The way out, without passwords; no row where there is no proxy. */
function proxies({ outbound }: Call): DoctorRow[] {
  const { http, https, noProxy } = outbound.choice
  const ways = [
    https && `https through ${https}`,
    http && `http through ${http}`,
    (http || https) && noProxy !== '' && `directly to ${noProxy}`,
  ].filter((way) => typeof way === 'string')
  return ways.length === 0 ? [] : [row('outbound proxy', ways.join(', '))]
}

async function upstreams(call: Call): Promise<DoctorRow[]> {
  const bases = new Map<string, string>()
  for (const base of baseUrls(call)) bases.set(new URL(base).origin, base)
  return Promise.all(
    [...bases].slice(0, maxHosts).map(async ([origin, base]) => {
      const check = `upstream ${origin}`
      const found = await reach(base, { deadlineMs, clock: call.clock, outbound: call.outbound })
      if (!found.ok)
        return row(check, found.problem, {
          state: 'fail',
          hint: 'check the network, HTTPS_PROXY and NO_PROXY, and the base URL',
        })
      const plain = base.startsWith('http:') && !isLoopback(new URL(base).hostname)
      if (plain)
        return row(check, `reached in ${found.ms} ms, without encryption`, {
          state: 'warn',
          hint: 'secrets can be read on the way; use https',
        })
      return row(check, `reached in ${found.ms} ms`)
    }),
  )
}

/** Where the members' requests go. */
function baseUrls(call: Call): string[] {
  const own = new Map(call.engine.credentials().map(({ record }) => [record.name, record.baseUrl]))
  return call.engine.pools().flatMap(({ record, members }) => {
    const base = record.upstream ?? dialectFor(record).defaultBaseUrl
    return members.map(({ name }) => own.get(name) ?? base).filter((url) => url !== null)
  })
}
