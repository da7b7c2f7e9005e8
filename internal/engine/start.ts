import type { Clock } from '../clock/clock.ts'
import type { Spoken } from '../dialect/dialect.ts'
import type { EventBus, EventKind } from '../events/events.ts'
import type { Logger } from '../log/log.ts'
import { conversationBounds, Owners, Recent } from '../pool/pool.ts'
import type { Shared, Snapshot, Store, Write } from '../store/store.ts'
import type { Engine, EngineSettings } from './api/api.ts'
import type { Prober, Rights } from './api/probes.ts'
import type { CredentialStatus } from './api/views.ts'
import { Foresight } from './foresight/foresight.ts'
import { Looks } from './foresight/looks.ts'
import { UsageWatch } from './foresight/usage-watch.ts'
import { MemberCommands } from './operator/members.ts'
import { PoolCommands } from './operator/pools.ts'
import { PoolViews } from './operator/views.ts'
import { Journal } from './record/journal.ts'
import { Signals } from './record/signals.ts'
import { ActiveMembers } from './requests/active-member.ts'
import { Backups } from './requests/backups.ts'
import { Capacities } from './requests/capacities.ts'
import { Exhaustions } from './requests/exhaustion.ts'
import { Hosts } from './requests/hosts.ts'
import { mayStillServe } from './requests/lease-validity.ts'
import { Leasing } from './requests/leasing.ts'
import { noteOwner, ownerOf } from './requests/owning.ts'
import { Pacing } from './requests/pacing.ts'
import { Reporting } from './requests/reporting.ts'
import { Revivals } from './requests/revivals.ts'
import { Suspicions } from './requests/suspicion.ts'
import { RequestTurn } from './requests/turn.ts'
import { WaitQueue } from './requests/wait-queue.ts'
import { Adopting } from './shared/adopting.ts'
import { Knowledge } from './shared/knowledge.ts'
import { Sharing } from './shared/sharing.ts'
import type { Core } from './state/context.ts'
import type { LiveCredential, LiveLease, Pool } from './state/live.ts'
import { poolStateRow, Registry } from './state/registry.ts'

/** What an engine works with. */
export interface EngineDeps {
  readonly store: Store
  readonly bus: EventBus
  readonly clock: Clock
  readonly log: Logger
  readonly settings: EngineSettings
  /** The upstream of a provider when neither credential nor pool names one. */
  readonly defaultBaseUrl: (of: Spoken) => string | null
  /** Asked late, because the prober itself needs the engine's neighbours. */
  readonly prober: () => Prober
  /** Random numbers in [0, 1) for jitter. */
  readonly random: () => number
  readonly onSuppressed: (kind: EventKind) => void
  /** Where other replicas write to the store, too; absent: nobody does. */
  readonly shared?: {
    readonly store: Shared
    /** What was there at the change of that number. */
    readonly snapshot: Snapshot
    readonly number: number
    readonly rights: Rights
  }
}

/** Resolves with an engine in the state that the store has kept: pools, cooldowns, parks, active members, dedupe windows. Rejects with the error of the store. */
export async function startEngine(parts: EngineDeps): Promise<Engine> {
  const core = makeCore(parts)
  const snapshot = parts.shared?.snapshot ?? (await parts.store.load())
  core.registry.load(snapshot)
  const since = parts.clock.now() - parts.settings.dedupeMs
  core.signals.restore(await parts.store.audit({ since }), snapshot.suppressed)
  const foresight = new Foresight(core, parts.store)
  foresight.load(snapshot.meta)
  await foresight.restore()
  const engine = assemble(core, foresight, parts.shared)
  for (const pool of core.registry.pools.values()) restoreModels(pool, engine)
  return engine
}

/** Who serves the models that the active member is limited for has been told already. */
function restoreModels(pool: Pool, engine: Engine): void {
  if (pool.modelLimits === 0) return
  for (const { model, member } of engine.pool(pool.name)?.activeFor ?? []) {
    const seat = member === null ? undefined : pool.seat(member)
    if (seat) pool.servesFor.set(model, seat)
  }
}

function makeCore(parts: EngineDeps): Core {
  const { clock, log, store, bus } = parts
  const journal = new Journal({ store, bus, clock, log })
  const windowMs = () => core.settings.dedupeMs
  const core: Core = {
    clock,
    log,
    registry: new Registry(clock, parts.defaultBaseUrl),
    journal,
    signals: new Signals({ journal, clock, windowMs, onSuppressed: parts.onSuppressed }),
    leases: new Map(),
    conversations: new Recent(conversationBounds),
    owners: new Owners(),
    prober: parts.prober,
    rights: parts.shared?.rights ?? null,
    random: parts.random,
    settings: parts.settings,
  }
  return core
}

function assemble(core: Core, foresight: Foresight, shared: EngineDeps['shared']): Engine {
  const capacities = new Capacities()
  const leasing = new Leasing(core, capacities)
  const queue = new WaitQueue(core, leasing)
  const suspicions = new Suspicions(core, (credential, finding) => settleStandIns(credential, finding === 'cleared'))
  const activeMembers = new ActiveMembers(core)
  const exhaustions = new Exhaustions(core, leasing, () => revivals.look())
  const revivals = new Revivals(core, { leasing, suspicions, exhaustions })
  const hosts = new Hosts(core, queue)
  const backups = new Backups(core)
  const cooled = (credential: LiveCredential) => looks.consider(credential)
  const parts = { queue, suspicions, activeMembers, backups, exhaustions, hosts, capacities, cooled }
  const reporting = new Reporting(core, parts)
  const usage = new UsageWatch(core, activeMembers, (credential) => foresight.heard(credential))
  const looks = new Looks(core, { leasing, queue, exhaustions, usage })
  const poolViews = new PoolViews(core, leasing, foresight)
  const members = new MemberCommands(core, { leasing, queue, exhaustions })
  const pools = new PoolCommands(core, members, queue)
  const { registry, clock, leases, rights } = core
  const sharing = shared ? share(core, shared, { queue, exhaustions, suspicions }) : null
  const written = () => core.journal.durable().catch(() => {})
  const pacing = new Pacing(core)
  const turnDeps = {
    rights,
    registry,
    written,
    clock,
    leases,
    leasing,
    queue,
    pacing,
    reporting,
    suspicions,
    exhaustions,
    hosts,
    usage,
  }

  /** Whoever stood in for a suspect takes over for good, unless the suspect was cleared. */
  function settleStandIns(credential: LiveCredential, cleared: boolean): void {
    for (const { pool } of credential.seats) {
      const { standIn } = pool
      if (!standIn || pool.active?.owner !== credential) continue
      if (cleared) pool.standIn = null
      else activeMembers.move(pool, standIn)
      queue.disturbed(pool)
    }
  }

  return {
    find: (name) => registry.pools.get(name),
    turnAway(pool) {
      const live = pool as Pool
      const decision = queue.toAll(live)
      if (decision) exhaustions.refused(live, decision, null)
      return decision
    },
    wantsModel: (pool) => (pool as Pool).modelLimits > 0 || capacities.concerns(pool as Pool),
    keepsConversations: ({ record }) => (record.affinity ?? core.settings.affinity) === 'conversation',
    hasSeveralOwners: (pool) => (pool as Pool).hasSeveralOwners,
    knowsUploads: () => core.owners.knowsUploads,
    owns: (lease, digest, isUpload) => noteOwner(core, lease as LiveLease, digest, isUpload),
    begin: (pool, model, { conversation = null, key = '', state = null, mayTest = false } = {}) =>
      new RequestTurn(turnDeps, pool as Pool, {
        model,
        conversation,
        key,
        owner: state && ownerOf(core, state),
        mayTest,
      }),
    mayStillServe: (lease) => mayStillServe(lease as LiveLease),

    createPool: pools.createPool.bind(pools),
    changePool: pools.changePool.bind(pools),
    deletePool: pools.deletePool.bind(pools),
    addMember: pools.addMember.bind(pools),
    tune: pools.tune.bind(pools),
    dropMember: pools.dropMember.bind(pools),
    reorder: pools.reorder.bind(pools),
    rotate: members.rotate.bind(members),
    park: members.park.bind(members),
    unpark: members.unpark.bind(members),
    clear: members.clear.bind(members),
    addCredential: members.addCredential.bind(members),
    removeCredential: members.removeCredential.bind(members),
    setEnabled: members.setEnabled.bind(members),
    renewCredential: members.renewCredential.bind(members),
    needsLogin: members.needsLogin.bind(members),

    pools: () => [...registry.pools.values()].map((pool) => poolViews.status(pool)),
    pool(name) {
      const pool = registry.pools.get(name)
      return pool && poolViews.status(pool)
    },
    outage: (host) => hosts.outage(host),
    explain: (name, model) => poolViews.explain(members.pool(name), model),
    credentials: () => [...registry.credentials.values()].map(credentialStatus),
    credential(id) {
      const credential = registry.byId.get(id)
      return credential && credentialStatus(credential)
    },

    tell: (signal, writes = []) => core.signals.record(writes, signal),
    adopt(changes) {
      sharing?.take(changes)
    },
    heard(rows) {
      core.signals.heard(rows)
    },
    storeIs(reachable) {
      core.journal.heard(reachable)
    },
    storeIsAway: () => core.journal.isStoreDown,
    startScouting(scout) {
      hosts.startScouting(scout)
      revivals.startScouting(scout)
      looks.startScouting(scout)
    },
    recall: () => foresight.recall(),
    spareDisk(isShort) {
      core.signals.spare(isShort)
      foresight.spare(isShort)
    },
    configure(settings) {
      core.settings = settings
      looks.consider()
    },
    flush: () => core.journal.durable(),
    async stop() {
      hosts.stop()
      revivals.stop()
      looks.stop()
      foresight.stop()
      const exhausted = [...registry.pools.values()].filter((pool) => pool.exhausted !== null)
      if (exhausted.length > 0) core.journal.record(exhausted.map(poolStateRow), [])
      for (const pool of registry.pools.values()) queue.dismiss(pool)
      await core.journal.stop()
    },
  }
}

/** From now on decisions are written on top of what other replicas have written, and theirs are taken in. */
function share(
  core: Core,
  { store, number }: NonNullable<EngineDeps['shared']>,
  parts: { queue: WaitQueue; exhaustions: Exhaustions; suspicions: Suspicions },
): Sharing {
  const { registry, journal } = core
  const knowledge = new Knowledge(registry)
  const adopting = new Adopting(core, {
    ...parts,
    knowledge,
    isPending: (write) => journal.isPending(write),
    heard: (credential) => parts.suspicions.heard(credential),
  })
  const adopt = (writes: readonly Write[]) => adopting.adopt(writes)
  const sharing = new Sharing({ shared: store, registry, knowledge, adopt, seen: number })
  journal.share(sharing)
  return sharing
}

function credentialStatus({ record, generation, gate, seats }: LiveCredential): CredentialStatus {
  const names = [...new Set([...seats].map((seat) => seat.pool.name))]
  return { record, generation, health: gate.health, pools: names }
}
