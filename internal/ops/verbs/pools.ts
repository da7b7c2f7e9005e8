import { z } from 'zod'
import { longestWait, parseDuration } from '../../config/config.ts'
import { spokenTo } from '../../dialect/dialect.ts'
import { affinities, onExhaustedWords, Refusal, strategies } from '../../pool/pool.ts'
import type { CredentialRecord, PoolRecord } from '../../store/store.ts'
import { checkBaseUrl } from '../address.ts'
import { commonShape, credentialsNamed, poolNamed, sameProvider } from '../find.ts'
import { checkName, dialectFor, listed, oneOf, providerNamed } from '../names.ts'
import type { PoolShape } from '../present.ts'
import { shownPool } from '../shown-pool.ts'
import { type Call, known, verb } from '../verb.ts'

type Settings = Omit<PoolRecord, 'name' | 'provider' | 'shape' | 'createdAt'>

/** The settings of a new pool; null leaves the decision to the configuration. */
export const defaultSettings: Settings = {
  upstream: null,
  strategy: 'sticky',
  maxWaitMs: null,
  onExhausted: null,
  preemptAt: null,
  probePath: null,
  affinity: null,
}

const settingNames = ['strategy', 'maxWaitMs', 'onExhausted', 'preemptAt', 'affinity', 'probePath', 'upstream'] as const
type SettingName = (typeof settingNames)[number]

/** A value of `pool set`, as text or already typed; null, nothing and `default` put the default back. */
const settingValue = z.union([z.string(), z.number(), z.null()])
export type SettingValue = z.output<typeof settingValue>

/** The pool as it is now, in the shape of `--json`. */
export function shown(call: Call, name: string): PoolShape {
  return shownPool(call, poolNamed(call.engine, name))
}

/** Checks and converts `pool set` values; refuses unknown keys and wrong values by name. */
export function settings(call: Call, values: Readonly<Record<string, SettingValue | undefined>>): Partial<Settings> {
  let change: Partial<Settings> = {}
  for (const [word, value] of Object.entries(values)) {
    const key = oneOf('setting of a pool', word, settingNames)
    if (value === undefined) continue
    change = {
      ...change,
      ...(value === null || value === '' || value === 'default' ? unset(key) : setting(call, key, value)),
    }
  }
  return change
}

function unset(key: SettingName): Partial<Settings> {
  return { [key]: defaultSettings[key] }
}

function setting(call: Call, key: SettingName, value: string | number): Partial<Settings> {
  switch (key) {
    case 'strategy':
      return { strategy: oneOf('strategy', String(value), strategies) }
    case 'maxWaitMs':
      return { maxWaitMs: waitMs(value) }
    case 'onExhausted':
      return { onExhausted: oneOf('value of onExhausted', String(value), onExhaustedWords) }
    case 'affinity':
      return { affinity: oneOf('value of affinity', String(value), affinities) }
    case 'preemptAt':
      return { preemptAt: percent(value) }
    case 'probePath':
      return { probePath: path(String(value)) }
    case 'upstream':
      return { upstream: checkBaseUrl(String(value), call.config().upstream.allowPrivate) }
  }
}

function waitMs(value: string | number): number {
  const ms = typeof value === 'number' ? value : /^\d+$/.test(value) ? Number(value) : parseDuration(value)
  if (ms === null || !Number.isSafeInteger(ms) || ms < 0 || ms > Number(parseDuration(longestWait))) {
    const what = `maxWaitMs is a time from 0 to ${longestWait}, not ${JSON.stringify(value)}`
    throw new Refusal('invalid', what, 'example: 10s')
  }
  return ms
}

function percent(value: string | number): number {
  const found = Number(typeof value === 'string' ? value.replace(/%$/, '') : value)
  if (!(found >= 1 && found <= 100)) {
    const message = `preemptAt is a percentage from 1 to 100, not ${JSON.stringify(value)}`
    throw new Refusal('invalid', message, 'example: 98')
  }
  return found
}

function path(value: string): string {
  const { pathname, search } = new URL(`http://probe.invalid${value.startsWith('/') ? value : '/'}`)
  // Dot segments would leave the base address, as they may not in requests.
  if (/^\/[\x21-\x7e]*$/.test(value) && pathname + search === value) return value
  throw new Refusal('invalid', `probePath is a path such as /v1/models, not ${JSON.stringify(value)}`)
}

/** Refuses members that no request could be sent for, because neither they nor the pool name an upstream. */
export function checkUpstream(
  pool: Pick<PoolRecord, 'name' | 'provider' | 'shape' | 'upstream'>,
  members: readonly Pick<CredentialRecord, 'name' | 'baseUrl' | 'provider'>[],
): void {
  const isLost = ({ baseUrl, provider }: (typeof members)[number]) => {
    if (baseUrl !== null || (provider === pool.provider && pool.upstream !== null)) return false
    return dialectFor(spokenTo(pool, provider)).defaultBaseUrl === null
  }
  const without = members.filter(isLost).map(({ name }) => name)
  if (without.length === 0) return
  throw new Refusal(
    'invalid',
    `${members.find(isLost)?.provider ?? pool.provider} has no upstream of its own, and ${listed(without)} ${without.length === 1 ? 'names' : 'name'} none`,
    'give the pool one with --upstream URL, or the credential one with --base-url URL',
  )
}

const poolCreate = verb({
  method: 'POST',
  path: '/v1/pools',
  inTurn: true,
  args: z.strictObject({
    name: z.string(),
    provider: z.string(),
    shape: z.string().optional(),
    members: z.array(known).max(100_000),
    strategy: settingValue.optional(),
    upstream: settingValue.optional(),
    maxWaitMs: settingValue.optional(),
    onExhausted: settingValue.optional(),
    preemptAt: settingValue.optional(),
    affinity: settingValue.optional(),
    probePath: settingValue.optional(),
  }),
  async run(call, { name, provider, shape, members, ...rest }): Promise<PoolShape> {
    checkName('pool', name)
    if (call.engine.pool(name)) throw taken(call, name, members)
    const credentials = checkMembers(call, { name, provider: providerNamed(provider) }, members)
    const record: PoolRecord = {
      ...defaultSettings,
      ...settings(call, rest),
      name,
      ...commonShape({ name, provider: providerNamed(provider), shape }, credentials),
      createdAt: call.clock.now(),
    }
    checkUpstream(record, credentials)
    const seats = members.map((member) => ({ member, weight: 1 }))
    await call.engine.createPool(record, seats, call.actor)
    return shown(call, name)
  },
})

/** The refusal of a second pool of a name: whoever asks for it most likely wants its members in the first one. */
function taken(call: Call, name: string, members: readonly string[]): Refusal {
  const inside = new Set(poolNamed(call.engine, name).members.map((member) => member.name))
  const missing = members.filter((member) => !inside.has(member))
  const commands = missing.map((member) => `spillway pool add ${name} ${member}`).join(' && ')
  const hint = missing.length === 0 ? `spillway pool status ${name}` : commands
  return new Refusal('conflict', `there is a pool named ${name} already`, hint)
}

/** The credentials of a new pool's members; refuses unknown, doubled and foreign ones. */
function checkMembers(
  call: Call,
  pool: { name: string; provider: string },
  members: readonly string[],
): CredentialRecord[] {
  const seen = new Set<string>()
  const named = credentialsNamed(call.engine)
  return members.map((member) => {
    if (seen.has(member)) throw new Refusal('invalid', `${member} is named twice`)
    seen.add(member)
    const credential = named(member)
    sameProvider(pool, credential)
    return credential.record
  })
}

const poolSet = verb({
  method: 'PATCH',
  path: '/v1/pools/:name',
  inTurn: true,
  args: z.strictObject({ name: known, set: z.record(z.string(), settingValue) }),
  async run(call, { name, set }): Promise<PoolShape> {
    const pool = poolNamed(call.engine, name)
    const change = settings(call, set)
    const named = credentialsNamed(call.engine)
    const members = pool.members.map((member) => named(member.name).record)
    checkUpstream({ ...pool.record, ...change }, members)
    if (Object.keys(change).length > 0) await call.engine.changePool(name, change, call.actor)
    return shown(call, name)
  },
})

/** One setting of a pool as it is in force. */
export interface PoolSetting {
  setting: string
  value: string | number | null
  /** Who decides: the pool itself, the configuration, or the provider. */
  origin: 'pool' | 'configuration' | 'provider'
}

const poolSettings = verb({
  method: 'GET',
  path: '/v1/pools/:name/settings',
  args: z.strictObject({ name: known }),
  async run(call, { name }): Promise<PoolSetting[]> {
    const { record } = poolNamed(call.engine, name)
    const dialect = dialectFor(record)
    const others: Readonly<Record<SettingName, Omit<PoolSetting, 'setting'>>> = {
      strategy: { value: record.strategy, origin: 'pool' },
      maxWaitMs: { value: call.config().pools.maxWaitMs, origin: 'configuration' },
      onExhausted: { value: call.config().pools.onExhausted, origin: 'configuration' },
      preemptAt: { value: call.config().pools.preemptAt, origin: 'configuration' },
      affinity: { value: call.config().pools.affinity, origin: 'configuration' },
      probePath: { value: dialect.probe(dialect.defaultBaseUrl ?? '', null)?.path ?? null, origin: 'provider' },
      upstream: { value: dialect.defaultBaseUrl, origin: 'provider' },
    }
    return settingNames.map((setting) => {
      const own = record[setting]
      return { setting, ...(own === null ? others[setting] : { value: own, origin: 'pool' as const }) }
    })
  },
})

export const poolVerbs = {
  poolSettings,
  poolList: verb({
    method: 'GET',
    path: '/v1/pools',
    args: z.strictObject({}),
    async run(call): Promise<PoolShape[]> {
      return call.engine.pools().map((pool) => shownPool(call, pool))
    },
  }),
  poolStatus: verb({
    method: 'GET',
    path: '/v1/pools/:name',
    args: z.strictObject({ name: known }),
    run: async (call, { name }): Promise<PoolShape> => shown(call, name),
  }),
  poolCreate,
  poolSet,
  poolDelete: verb({
    method: 'DELETE',
    path: '/v1/pools/:name',
    inTurn: true,
    args: z.strictObject({ name: known }),
    async run(call, { name }): Promise<{ name: string }> {
      poolNamed(call.engine, name)
      await call.engine.deletePool(name, call.actor)
      return { name }
    },
  }),
}
