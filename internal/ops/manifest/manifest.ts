import { stringify } from 'yaml'
import { z } from 'zod'
import { formatDuration } from '../../config/config.ts'
import type { MemberStatus } from '../../engine/engine.ts'
import { tuningOf, untuned } from '../../pool/pool.ts'
import type { CredentialRecord, PoolRecord } from '../../store/store.ts'
import { poolNamed } from '../find.ts'
import { type Call, flag, verb } from '../verb.ts'
import { defaultSettings } from '../verbs/pools.ts'
import { readManifest } from './document.ts'
import { carryOut, type ManifestChange } from './operations.ts'
import { plan } from './plan.ts'
import { isSame } from './same.ts'

const apply = verb({
  method: 'POST',
  path: '/v1/apply',
  inTurn: true,
  args: z.strictObject({
    /** The YAML text. */
    text: z.string().max(4 * 1024 * 1024),
    /** What the text is called in messages. */
    file: z.string().min(1),
    /** Where relative `file:` sources begin, absolute. */
    folder: z.string().min(1),
    dryRun: flag.default(false),
  }),
  async run(call, { text, file, folder, dryRun }): Promise<{ dryRun: boolean; changes: ManifestChange[] }> {
    const steps = plan(call, readManifest(text, file, folder))
    if (!dryRun) for (const step of steps) await carryOut(call, step)
    return { dryRun, changes: steps.map(({ change }) => change) }
  },
})

const exportConfig = verb({
  method: 'GET',
  path: '/v1/export',
  args: z.strictObject({}),
  async run(call): Promise<{ yaml: string }> {
    const credentials = call.engine.credentials().map(({ record }) => [record.name, credentialSheet(record)])
    const pools = call.engine.pools().map(({ record }) => [record.name, poolSheet(call, record)])
    return {
      yaml: stringify({ credentials: Object.fromEntries(credentials), pools: Object.fromEntries(pools) }),
    }
  },
})

/** A credential as `apply` reads it; a secret in the vault stays there. */
function credentialSheet({ provider, shape, source, baseUrl, domain, header, oauth }: CredentialRecord): object {
  const { login: _tool, ...settings } = oauth ?? { login: null }
  const login = source.kind === 'file' ? given(settings) : {}
  return {
    provider,
    ...(shape === undefined ? {} : { shape }),
    source: sourceSheet(source),
    ...given({ baseUrl, domain, header }),
    ...(Object.keys(login).length > 0 ? { login } : {}),
  }
}

function sourceSheet(source: CredentialRecord['source']): unknown {
  switch (source.kind) {
    case 'vault':
      return 'vault'
    case 'env':
      return { env: source.variable }
    case 'file':
      return { file: source.path, ...(source.format === 'key' ? {} : { format: source.format }) }
    case 'command':
      return { command: source.command }
  }
}

function poolSheet(call: Call, record: PoolRecord): object {
  const { upstream, strategy, maxWaitMs, onExhausted, preemptAt, affinity, probePath } = record
  return {
    provider: record.provider,
    ...(record.shape === undefined ? {} : { shape: record.shape }),
    members: poolNamed(call.engine, record.name).members.map(memberSheet),
    ...(strategy === defaultSettings.strategy ? {} : { strategy }),
    ...given({
      upstream,
      maxWaitMs: maxWaitMs === null ? null : formatDuration(maxWaitMs),
      onExhausted,
      preemptAt,
      affinity,
      probePath,
    }),
  }
}

/** The name alone where nothing is tuned. */
function memberSheet(member: MemberStatus): unknown {
  const tuned = Object.entries(tuningOf(member)).filter(([key, value]) => !isSame(Reflect.get(untuned, key), value))
  return tuned.length === 0 ? member.name : { member: member.name, ...Object.fromEntries(tuned) }
}

function given(values: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null))
}

export const manifestVerbs = { apply, exportConfig }
