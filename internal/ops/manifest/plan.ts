import { isOneFamily } from '../../dialect/dialect.ts'
import { Refusal, type Tuning, tuningOf } from '../../pool/pool.ts'
import type { CredentialRecord, Source } from '../../store/store.ts'
import { recordOf } from '../enrol.ts'
import { commonShape } from '../find.ts'
import { phrasedHint } from '../hint.ts'
import { checkName, dialectFor, missing, providerNamed } from '../names.ts'
import type { Call } from '../verb.ts'
import { checkUpstream, defaultSettings, type SettingValue, settings } from '../verbs/pools.ts'
import { checkCaps } from '../verbs/seats.ts'
import type { DeclaredCredential, DeclaredPool, Manifest } from './document.ts'
import type { ManifestChange, Retuned, Step } from './operations.ts'
import { isSame } from './same.ts'

/** The steps that make it so, credentials first; refuses with every problem before anything is done. */
export function plan(call: Call, manifest: Manifest): Step[] {
  const steps: Step[] = []
  const living = new Map(call.engine.credentials().map(({ record }) => [record.name, record]))
  const known: Known = new Map(living)
  for (const [name, declared] of Object.entries(manifest.credentials)) {
    attempt(manifest, `credentials.${name}`, () => {
      known.set(name, living.get(name) ?? { ...declared, name, baseUrl: declared.baseUrl ?? null })
      steps.push(planCredential(call, living.get(name), { name, declared }))
    })
  }
  for (const [name, declared] of Object.entries(manifest.pools)) {
    const before = call.engine.pool(name)
    attempt(manifest, `pools.${name}`, () => {
      checkName('pool', name)
      const members = checkSeats(manifest, { name, declared, known })
      const change = planSettings(call, manifest, { name, declared })
      const spoken = commonShape({ name, provider: providerNamed(declared.provider), shape: declared.shape }, members)
      checkUpstream({ ...change, ...spoken, name }, members)
      steps.push(
        before
          ? planChange(call, { name, declared, change, spoken })
          : planPool(call, { name, declared, change, spoken }),
      )
    })
  }
  manifest.settle()
  return steps
}

/** A refusal inside `check` becomes a problem at `key`, so that all are told together. */
function attempt(manifest: Manifest, key: string, check: () => void): void {
  try {
    check()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    manifest.problem(key, error.message, phrasedHint(error.hint))
  }
}

function planCredential(
  call: Call,
  found: CredentialRecord | undefined,
  { name, declared }: { name: string; declared: DeclaredCredential },
): Step {
  if (found) return { change: unchanged('credential', compared(name, declared, found)), operation: { kind: 'none' } }
  if (declared.source === 'vault')
    throw new Refusal(
      'invalid',
      'its secret is in no vault yet',
      `spillway cred add ${name} --provider ${declared.provider} puts it there`,
    )
  const { provider, shape, baseUrl, domain, header, login } = declared
  const given = { name, provider, shape, baseUrl, domain, header, login, source: reference(declared.source) }
  recordOf(call, given)
  return {
    change: { kind: 'credential', name, action: 'create', what: [declared.provider] },
    operation: { kind: 'credential', given },
  }
}

function unchanged(kind: ManifestChange['kind'], name: string): ManifestChange {
  return { kind, name, action: 'unchanged', what: [] }
}

function reference(source: Exclude<DeclaredCredential['source'], 'vault'>) {
  if ('env' in source) return { kind: 'env' as const, variable: source.env }
  if ('file' in source) return { kind: 'file' as const, path: source.file, format: source.format ?? 'key' }
  return { kind: 'command' as const, command: source.command }
}

/** The name again, if the living credential is as the manifest says; what a credential is cannot be changed in place. */
function compared(name: string, declared: DeclaredCredential, record: CredentialRecord): string {
  const differs = [
    declared.provider === record.provider ? null : `provider ${record.provider}`,
    declared.shape === record.shape ? null : `shape ${record.shape ?? 'none'}`,
    (declared.baseUrl?.replace(/\/+$/, '') ?? null) === record.baseUrl ? null : `baseUrl ${record.baseUrl ?? 'none'}`,
    (declared.domain ?? null) === record.domain ? null : `domain ${record.domain ?? 'none'}`,
    (declared.header?.toLowerCase() ?? null) === record.header ? null : `header ${record.header ?? 'none'}`,
    sameSource(declared.source, record.source) ? null : `source ${record.source.kind}`,
    declared.source === 'vault' || sameLogin(declared.login, record) ? null : 'another login',
  ].filter((difference) => difference !== null)
  if (differs.length === 0) return name
  throw new Refusal(
    'invalid',
    `the credential exists and has ${differs.join(', ')}`,
    `spillway cred remove ${name} first, or say it as it is`,
  )
}

function sameSource(wanted: DeclaredCredential['source'], source: Source): boolean {
  if (wanted === 'vault') return source.kind === 'vault'
  const { kind, ...rest } = reference(wanted)
  if (kind !== source.kind) return false
  return Object.entries(rest).every(([key, value]) => Object.entries(source).some(([k, v]) => k === key && v === value))
}

function sameLogin(wanted: DeclaredCredential['login'], { oauth }: CredentialRecord): boolean {
  const settings = ['tokenUrl', 'clientId', 'clientSecretFile', 'scope'] as const
  return settings.every((setting) => (wanted?.[setting] ?? null) === (oauth?.[setting] ?? null))
}

/** Credentials by name: those that live, and those that the manifest adds. */
type Member = Pick<CredentialRecord, 'name' | 'provider' | 'shape' | 'baseUrl'>
type Known = Map<string, Member>

/** The members of a pool, as far as they are known and fit. */
function checkSeats(
  manifest: Manifest,
  { name, declared, known }: { name: string; declared: DeclaredPool; known: Known },
): Member[] {
  const seen = new Set<string>()
  const members: Member[] = []
  for (const [index, { member, caps }] of declared.members.entries()) {
    attempt(manifest, `pools.${name}.members.${index}`, () => {
      checkCaps(caps)
      if (seen.has(member)) throw new Refusal('invalid', `${member} is named twice`)
      seen.add(member)
      const credential = known.get(member)
      if (!credential) throw missing('credential', member, [...known.keys()])
      if (!isOneFamily(credential.provider, declared.provider))
        throw new Refusal(
          'invalid',
          `${member} is a credential of ${credential.provider}, the pool is one of ${declared.provider}`,
        )
      members.push(credential)
    })
  }
  return members
}

function planSettings(
  call: Call,
  manifest: Manifest,
  { name, declared }: { name: string; declared: DeclaredPool },
): typeof defaultSettings {
  const { provider: _provider, shape: _shape, members: _members, ...values } = declared
  let wanted = defaultSettings
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined) continue
    attempt(manifest, `pools.${name}.${key}`, () => {
      wanted = { ...wanted, ...settings(call, { [key]: value satisfies SettingValue }) }
    })
  }
  return wanted
}

interface Wanted {
  readonly name: string
  readonly declared: DeclaredPool
  readonly change: typeof defaultSettings
  readonly spoken: ReturnType<typeof commonShape>
}

function planPool(call: Call, { name, declared, change, spoken }: Wanted): Step {
  const record = { ...change, ...spoken, name, createdAt: call.clock.now() }
  const members = declared.members.map(({ member }) => member)
  return {
    change: {
      kind: 'pool',
      name,
      action: 'create',
      what: [declared.provider, `members ${members.join(', ') || 'none'}`],
    },
    operation: { kind: 'new-pool', record, seats: declared.members },
  }
}

function planChange(call: Call, { name, declared, change, spoken }: Wanted): Step {
  const before = call.engine.pool(name)
  if (!before) throw missing('pool', name, [])
  if (before.record.provider !== declared.provider)
    throw new Refusal(
      'invalid',
      `the pool exists and is one of ${before.record.provider}`,
      `spillway pool delete ${name} first`,
    )
  if (before.record.shape !== spoken.shape)
    throw new Refusal(
      'invalid',
      `the pool exists and speaks ${dialectFor(before.record).shape}`,
      `spillway pool delete ${name} first`,
    )
  const wanted = new Map(declared.members.map((seat) => [seat.member, tuningOf(seat)]))
  const had = new Map(before.members.map((seat) => [seat.name, tuningOf(seat)]))
  const changed = Object.entries(change).filter(([key, value]) => Reflect.get(before.record, key) !== value)
  const add = declared.members.filter(({ member }) => !had.has(member))
  const tune = [...wanted].flatMap(([member, tuning]) => retuned(member, had.get(member), tuning))
  const drop = [...had.keys()].filter((member) => !wanted.has(member))
  const order = [...wanted.keys()]
  const kept = [...had.keys()].filter((member) => wanted.has(member))
  const moved = [...kept, ...add.map(({ member }) => member)]
  const reorder = moved.join() !== order.join()
  const what = [
    ...changed.map(([key, value]) => `${key} ${value ?? 'default'}`),
    ...add.map(({ member }) => `with ${member}`),
    ...drop.map((member) => `without ${member}`),
    ...tune.map(({ member, change }) => `${member} with ${inWords(change)}`),
    ...(reorder ? [`order ${order.join(', ')}`] : []),
  ]
  if (what.length === 0) return { change: unchanged('pool', name), operation: { kind: 'none' } }
  return {
    change: { kind: 'pool', name, action: 'change', what },
    operation: {
      kind: 'pool',
      name,
      change: Object.fromEntries(changed),
      add,
      drop,
      tune,
      order: reorder ? order : null,
    },
  }
}

function retuned(member: string, had: Tuning | undefined, wanted: Tuning): Retuned[] {
  if (!had) return []
  const change = Object.entries(wanted).filter(([key, value]) => !isSame(Reflect.get(had, key), value))
  return change.length === 0 ? [] : [{ member, change: Object.fromEntries(change) }]
}

/** `caps 7d=60`, or `caps none`. */
function capsInWords(caps: Tuning['caps']): string {
  const all = Object.entries(caps).map(([window, percent]) => `${window}=${percent}`)
  return all.join(' ') || 'none'
}

/** `weight 5, tier 2`. */
function inWords(change: Partial<Tuning>): string {
  return Object.entries(change)
    .map(
      ([key, value]) => `${key} ${value === null ? 'default' : typeof value === 'object' ? capsInWords(value) : value}`,
    )
    .join(', ')
}
