import { z } from 'zod'
import { guard } from './guard.ts'
import { type Kind, kinds } from './kind.ts'
import {
  address,
  choice,
  duration,
  file,
  identifier,
  integers,
  networks,
  number,
  orNull,
  size,
  sizeOrAuto,
  storeUrl,
  timeZone,
  toggle,
  url,
  variable,
} from './kinds.ts'

const server = z.strictObject({
  listen: address('Where agents reach the proxy.'),
  exposeMember: toggle("Whether responses carry the member's name."),
  webSocket: toggle('Whether WebSocket upgrades are carried; off, they are answered with 426.'),
  preDrainMs: duration('How long /readyz says 503 after SIGTERM before nothing new is admitted.', {
    min: '0s',
    max: '10m',
  }),
  drainMs: duration('How long requests in flight may take to finish after SIGTERM.', { min: '0s', max: '1h' }),
  tls: z.strictObject({
    certFile: orNull(file('PEM certificate chain for HTTPS; needs keyFile.')),
    keyFile: orNull(file('PEM private key for HTTPS; needs certFile.')),
  }),
})

const upstream = z.strictObject({
  connectMs: duration('Deadline for a connection to an upstream.', { min: '1ms', max: '10m' }),
  headMs: duration('Deadline for the head of an answer.', { min: '1ms', max: '1d' }),
  idleMs: duration('How long an answer may stand still once it has begun.', { min: '1ms', max: '1d' }),
  connections: number('Connections per upstream host.', { min: 1, max: 65_535 }),
  allowPrivate: networks('Private and local networks in which an upstream may be.'),
  proxy: orNull(
    url(
      'The HTTP proxy on the way to upstreams, token endpoints, Telegram and the webhook; null: HTTPS_PROXY and HTTP_PROXY. NO_PROXY holds for all.',
    ),
  ),
})

const admin = z.strictObject({
  socket: file('The Unix socket of the admin API, at most 100 bytes as an absolute path.'),
  listen: orNull(address('A TCP address for the admin API as well; needs tokenFile.')),
  tokenFile: orNull(file('Holds the bearer token that the TCP listener asks for.')),
})

const anyHold = { min: '0s', max: '10m' }

const replay = z.strictObject({
  maxAttempts: number('Attempts per request, the first included.', { min: 1, max: 20 }),
  maxBodyBytes: size('Bodies up to this are kept, so that they can be sent again.', { min: '0B', max: '1GiB' }),
  maxTotalBytes: size('The most that all kept bodies may take together.', { min: '0B', max: '64GiB' }),
  budget: z.strictObject({
    ratio: number("Failovers beyond a request's first, as a part of all requests.", { min: 0, max: 1, fraction: true }),
    perSecond: number('Failovers allowed on top of the ratio, per second.', { min: 0, max: 100_000, fraction: true }),
  }),
  holdMs: z.strictObject({
    codex: duration('How long a stream without content is held back for a failover, for codex.', anyHold),
    default: duration('How long a stream without content is held back for a failover.', anyHold),
  }),
})

const anyCooldown = { min: '1ms', max: '7d' }

const cooldown = z.strictObject({
  rateLimitedMs: duration('The first cooldown after a rate limit without a hint.', anyCooldown),
  authMs: duration('How long a suspect waits when its probe says nothing.', anyCooldown),
  maxMs: duration('The longest cooldown that back-off without a hint reaches.', anyCooldown),
  parkMs: duration('How long rotate parks a member when no time is given.', anyCooldown),
  earlyProbeMs: duration('How often an exhausted pool may test a member whose hint is far away.', anyCooldown),
  farProbeMs: duration('How often a request may test such a member although others can serve; 7d: never.', anyCooldown),
})

/** How long a request may be held at most, for all pools and for one. */
export const longestWait = '1h'

const pools = z.strictObject({
  maxWaitMs: duration(
    'How long a request is held when recovery is that near. Every agent waits 50 s in silence; Gemini CLI asks again after 60 s.',
    { min: '0s', max: longestWait },
  ),
  onExhausted: choice(
    'Answer locally, send to the member that recovers soonest, or wait as long as clients bear it (50 s, or the maxWaitMs of the pool).',
    ['reject', 'degrade', 'hold'],
  ),
  preemptAt: orNull(
    number('Leave a member when this many percent of its limit are used.', { min: 1, max: 100, fraction: true }),
  ),
  affinity: choice('Whether requests of a conversation go to the member that has served it, where its cache is.', [
    'none',
    'conversation',
  ]),
  rampPerSecond: number(
    'How many requests a second move to a member because another one failed; nobody waits longer than 2 s.',
    {
      min: 1,
      max: 100_000,
    },
  ),
})

const notices = z.strictObject({
  dedupeMs: duration('Identical signals within this window are told once.', { min: '0s', max: '1d' }),
  failover: choice('How failovers are told; silent: without a sound.', ['off', 'silent', 'on']),
  heartbeat: choice('Whether a start and a stop are told.', ['off', 'silent', 'on']),
  timeZone: orNull(timeZone("The time zone of the notices; null: the machine's own.")),
  host: orNull(identifier("What notices call this machine; null: the host's name.")),
  watchdogUrl: orNull(
    url('Is asked with GET while the program runs, so that somebody outside misses it when it does not.'),
  ),
  watchdogEveryMs: duration('How often watchdogUrl is asked.', { min: '10s', max: '1d' }),
  telegram: z.strictObject({
    botTokenFile: orNull(file("Holds the bot's token.")),
    botTokenEnv: orNull(variable("The environment variable with the bot's token.")),
    chatIds: integers('Chats that are told and may give commands.'),
    apiRoot: url('Where the Bot API is.'),
  }),
  webhook: z.strictObject({
    url: orNull(url('Is sent each notice as JSON.')),
    secretFile: orNull(file('Holds the secret that signs the requests.')),
    secretEnv: orNull(variable('The environment variable with the secret that signs the requests.')),
  }),
})

const usage = z.strictObject({
  look: choice(
    "Which logins are asked how much of their limits is used, at the provider's usage endpoint: none, those that wait for a far reset, or all.",
    ['off', 'cooling', 'all'],
  ),
  lookMs: duration('How often a login is asked at most.', { min: '1m', max: '1d' }),
  ledger: z.strictObject({
    maxBytes: size('The most that rows of usage may take; 0B: nothing is added up.', { min: '0B', max: '1TiB' }),
    maxAge: duration('Older rows of usage are pruned.', { min: '1h', max: '36500d' }),
  }),
  prices: orNull(file('JSON in the form of the list prices of this version, to be looked into before them.')),
})

const audit = z.strictObject({
  maxAge: duration('Older audit rows are pruned.', { min: '1s', max: '36500d' }),
  maxRows: number('The most audit rows that are kept.', { min: 1, max: 100_000_000 }),
  maxBytes: size('The most that audit rows may take.', { min: '1KiB', max: '1TiB' }),
})

const disk = z.strictObject({
  reserveBytes: sizeOrAuto(
    'Below this much free disk, optional writes stop; auto: the smaller of 15 % of the file system and 4 GiB.',
    { min: '0B', max: '64TiB' },
  ),
})

const store = z.strictObject({
  url: storeUrl('The database: sqlite:FILE in the data directory, or postgres:// for a fleet.'),
  passwordFile: orNull(file('Holds the password for postgres://; null: PGPASSWORD, PGPASSFILE or ~/.pgpass.')),
  tls: z.strictObject({
    caFile: orNull(file('PEM certificates that the server of postgres:// is verified with; null: those of Node.')),
    certFile: orNull(file('PEM certificate that is shown to the server; needs keyFile.')),
    keyFile: orNull(file('PEM private key of certFile; needs certFile.')),
  }),
  connectMs: duration('Deadline for a connection to postgres://.', { min: '100ms', max: '1m' }),
  statementMs: duration('Deadline for a statement on postgres://.', { min: '100ms', max: '1m' }),
  connections: number('Connections to postgres://, beside the one that listens.', { min: 1, max: 100 }),
})

const web = z.strictObject({
  listen: orNull(address('Where the web view is reached; null: there is none.')),
  publicUrl: orNull(url('The address under which a proxy offers the web view.')),
})

const log = z.strictObject({
  level: choice('The least severe lines that are written.', ['debug', 'info', 'warn', 'error']),
  format: choice('auto: for people on a terminal, JSON otherwise.', ['auto', 'json', 'pretty']),
})

const tokenUrl = url('Where tokens are refreshed.')
const clientId = orNull(identifier('The client that the logins were made with; null: as the login itself says.'))
const authorizeUrl = orNull(url('Where a person logs in with a browser; null: where the tool itself asks.'))
const deviceUrl = orNull(url('Where a code for another device is asked for; null: logins need a browser.'))
const login = { tokenUrl, clientId, authorizeUrl, deviceUrl }

const oauth = z.strictObject({
  codex: z.strictObject(login),
  claude: z.strictObject(login),
  gemini: z.strictObject({ ...login, clientSecretFile: orNull(file('Holds the secret of the client.')) }),
})

/** The whole configuration with every key present; `defaults` fills what a file leaves out. */
export const schema = z.strictObject({
  server: server.describe('The data plane.'),
  upstream: upstream.describe('Connections to upstreams.'),
  admin: admin.describe('The admin API.'),
  replay: replay.describe('Sending a request again with another member.'),
  cooldown: cooldown.describe('Cooldowns without a hint from the upstream.'),
  pools: pools.describe('What pools do unless told otherwise.'),
  notices: notices.describe('Telling people.'),
  usage: usage.describe('What goes through, and what logins have used.'),
  audit: audit.describe('How much of the audit log is kept.'),
  disk: disk.describe('The disk that the data directory is on.'),
  store: store.describe('The database.'),
  web: web.describe('The web view.'),
  guard: guard.describe('Directories, hot paths and workers.'),
  log: log.describe('The log, on stderr.'),
  oauth: oauth.describe('Authorization servers of logins.'),
})

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T

/**
 * The resolved configuration: durations in milliseconds (also `audit.maxAge`), sizes in bytes, addresses taken apart and
 * paths absolute.
 */
export type Config = DeepReadonly<z.output<typeof schema>>

/** The dotted names of all settings, in the order of the schema, with their zod schemas. */
export const settings: ReadonlyMap<string, z.ZodType> = new Map(walk(schema, []))

/** The names of the keys directly below a section or an entry (`''` is the whole); undefined when the name is neither. */
export function keysOf(section: string): readonly string[] | undefined {
  const at = shapesAt(section).find((each) => each instanceof z.ZodObject)
  return at && Object.keys(at.shape)
}

/** What is known of the value at a dotted name, inside of entries and lists, too. */
export function kindAt(name: string): Kind | undefined {
  const known = shapesAt(name).find((each) => kinds.has(each))
  return known && kinds.get(known)
}

/** The schemas of what stands at a dotted name, from the outermost to the one that has keys; empty when nothing may stand there. */
function shapesAt(name: string): readonly z.ZodType[] {
  let found = unwrapped(schema)
  for (const part of name === '' ? [] : name.split('.')) {
    const inner = found.map((each) => innerOf(each, part)).find((each) => each instanceof z.ZodType)
    found = inner ? unwrapped(inner) : []
  }
  return found
}

function innerOf(at: z.ZodType, part: string): unknown {
  if (at instanceof z.ZodObject) return Object.hasOwn(at.shape, part) ? at.shape[part] : undefined
  return at instanceof z.ZodRecord ? at.valueType : undefined
}

function unwrapped(outer: z.ZodType): readonly z.ZodType[] {
  const wraps = outer instanceof z.ZodDefault || outer instanceof z.ZodPrefault || outer instanceof z.ZodNullable
  const inner = wraps ? outer.unwrap() : null
  return inner instanceof z.ZodType ? [outer, ...unwrapped(inner)] : [outer]
}

function* walk(at: z.ZodObject, path: readonly string[]): Generator<[string, z.ZodType]> {
  for (const [key, value] of Object.entries(at.shape)) {
    if (value instanceof z.ZodObject) yield* walk(value, [...path, key])
    else if (value instanceof z.ZodType && kinds.has(value)) yield [[...path, key].join('.'), value]
    else throw new TypeError(`${[...path, key].join('.')} has no kind`)
  }
}
