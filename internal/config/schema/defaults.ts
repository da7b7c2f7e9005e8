/** What the login of a known tool says by itself. */
const asTheTool = { clientId: null, authorizeUrl: null, deviceUrl: null } as const

/** Every setting with its default, as an operator would write it; a relative path is relative to the data directory. */
export const defaults = {
  server: {
    listen: '127.0.0.1:8460',
    exposeMember: false,
    webSocket: true,
    preDrainMs: '0s',
    drainMs: '30s',
    tls: { certFile: null, keyFile: null },
  },
  upstream: {
    connectMs: '10s',
    headMs: '900s',
    idleMs: '300s',
    connections: 256,
    allowPrivate: ['127.0.0.0/8', '::1/128'],
    proxy: null,
  },
  admin: { socket: 'admin.sock', listen: null, tokenFile: null },
  replay: {
    maxAttempts: 3,
    maxBodyBytes: '32MiB',
    maxTotalBytes: '256MiB',
    budget: { ratio: 0.1, perSecond: 10 },
    holdMs: { codex: '60s', default: '2s' },
  },
  cooldown: {
    rateLimitedMs: '60s',
    authMs: '300s',
    maxMs: '30m',
    parkMs: '300s',
    earlyProbeMs: '15m',
    farProbeMs: '6h',
  },
  pools: { maxWaitMs: '10s', onExhausted: 'reject', preemptAt: null, affinity: 'none', rampPerSecond: 4 },
  notices: {
    dedupeMs: '30s',
    failover: 'silent',
    heartbeat: 'off',
    timeZone: null,
    host: null,
    watchdogUrl: null,
    watchdogEveryMs: '5m',
    telegram: { botTokenFile: null, botTokenEnv: null, chatIds: [], apiRoot: 'https://api.telegram.org' },
    webhook: { url: null, secretFile: null, secretEnv: null },
  },
  usage: { look: 'cooling', lookMs: '15m', ledger: { maxBytes: '64MiB', maxAge: '400d' }, prices: null },
  audit: { maxAge: '90d', maxRows: 100_000, maxBytes: '64MiB' },
  disk: { reserveBytes: 'auto' },
  store: {
    url: 'sqlite:spillway.db',
    passwordFile: null,
    tls: { caFile: null, certFile: null, keyFile: null },
    connectMs: '3s',
    statementMs: '5s',
    connections: 4,
  },
  web: { listen: '127.0.0.1:8461', publicUrl: null },
  guard: { budgets: {}, hotPaths: {}, workers: {} },
  log: { level: 'info', format: 'auto' },
  oauth: {
    codex: { tokenUrl: 'https://auth.openai.com/oauth/token', ...asTheTool },
    claude: { tokenUrl: 'https://platform.claude.com/v1/oauth/token', ...asTheTool },
    gemini: { tokenUrl: 'https://oauth2.googleapis.com/token', ...asTheTool, clientSecretFile: null },
  },
} as const
