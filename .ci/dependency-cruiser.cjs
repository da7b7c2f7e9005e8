// Who may import whom (the table of the design), purity of the core, and one home per npm package.
const may = {
  pool: [],
  demo: [],
  service: ['pool'],
  clock: [],
  when: [],
  config: [],
  edit: [],
  log: [],
  net: [],
  http1: ['clock'],
  outbound: ['net'],
  events: ['pool'],
  dialect: ['pool', 'when'],
  vault: ['clock'],
  store: ['pool', 'events', 'vault'],
  keys: ['store', 'vault', 'clock'],
  credential: ['pool', 'dialect', 'vault', 'store', 'events', 'clock', 'log', 'blocking', 'net', 'outbound', 'edit'],
  engine: ['pool', 'dialect', 'store', 'events', 'clock', 'log'],
  proxy: [
    'pool',
    'dialect',
    'engine',
    'credential',
    'keys',
    'vault',
    'events',
    'clock',
    'log',
    'http1',
    'net',
    'outbound',
  ],
  ledger: ['dialect', 'pool', 'store', 'clock'],
  audit: ['events', 'store', 'clock', 'log'],
  notify: ['events', 'store', 'clock', 'log', 'when'],
  fleet: ['store', 'clock', 'log'],
  metrics: ['events'],
  ops: [
    'pool',
    'dialect',
    'config',
    'engine',
    'credential',
    'keys',
    'store',
    'vault',
    'audit',
    'ledger',
    'notify',
    'events',
    'clock',
    'net',
    'outbound',
    'blocking',
  ],
  blocking: ['clock'],
  guard: ['ops', 'pool', 'events', 'clock', 'log', 'blocking'],
  admin: ['ops', 'metrics', 'events', 'log', 'net'],
  web: ['ops', 'events', 'clock', 'log', 'net', 'when'],
  telegram: ['ops', 'notify', 'clock', 'log', 'when'],
  connect: ['pool', 'edit'],
  cli: ['ops', 'guard', 'connect', 'config', 'service', 'log', 'when'],
}

// What a command loads that asks the daemon and ends: the face of the package would load the package.
const light = {
  pool: ['refusal', 'strategy'],
  config: ['schema/units', 'schema/reserve'],
  dialect: ['port', 'token-endpoint'],
  ops: ['client'],
  guard: ['run/policy'],
  store: ['lock'],
}
const faceOf = (name) => `^internal/${name}/(${[name, ...(light[name] ?? [])].join('|')})\\.ts$`

const homes = {
  'http-proxy': ['proxy/websocket'],
  undici: ['proxy/upstream', 'credential', 'outbound'],
  'better-sqlite3': ['store'],
  pg: ['store'],
  kysely: ['store'],
  grammy: ['telegram'],
  pino: ['log'],
  'pino-pretty': ['log'],
  commander: ['cli'],
  fastify: ['admin'],
  'prom-client': ['metrics'],
  yaml: ['config', 'ops'],
  'jsonc-parser': ['edit'],
  'smol-toml': ['edit'],
  diff: ['connect'],
}

// The way of a request through the proxy: a folder may import those below it, and all of them `local`.
const way = ['admission', 'exchange', 'websocket', 'probe', 'attempt', 'failover', 'upstream', 'local']

// The way of an event to people: a folder of the notices may import those behind it.
const telling = ['hearing', 'delivery', 'webhook', 'phrase', 'incident']

// Tests may use the fakes and whatever the story needs; the arrows are about the product.
const product = '^(internal|cmd)/.*(?<!\\.test)\\.ts$'

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: { path: product },
      to: { circular: true },
    },
    ...Object.entries(may).map(([name, targets]) => ({
      name: `${name}-may-import`,
      comment: `${name} may import ${targets.join(', ') || 'nothing internal'}`,
      severity: 'error',
      from: { path: `^internal/${name}/`, pathNot: '\\.test\\.ts$' },
      to: { path: '^(internal|cmd|test)/', pathNot: `^internal/(${[name, ...targets].join('|')})/` },
    })),
    ...Object.keys(may).map((name) => ({
      name: `${name}-through-its-face`,
      comment: `enter ${name} through internal/${name}/${name}.ts`,
      severity: 'error',
      from: { path: '^(internal|cmd)/', pathNot: [`^internal/${name}/`, '\\.test\\.ts$'] },
      to: { path: `^internal/${name}/`, pathNot: faceOf(name) },
    })),
    ...way.map((name, at) => ({
      name: `proxy-${name}-downwards`,
      comment: `internal/proxy/${name} may import ${way.slice(at + 1).join(', ') || 'no other folder of the proxy'}`,
      severity: 'error',
      from: { path: `^internal/proxy/${name}/`, pathNot: '\\.test\\.ts$' },
      to: { path: '^internal/proxy/', pathNot: `^internal/proxy/(${way.slice(at).join('|')})/` },
    })),
    ...telling.map((name, at) => ({
      name: `notify-${name}-downwards`,
      comment: `internal/notify/${name} may import ${telling.slice(at + 1).join(', ') || 'no other folder of the notices'}`,
      severity: 'error',
      from: { path: `^internal/notify/${name}/`, pathNot: '\\.test\\.ts$' },
      to: { path: '^internal/notify/', pathNot: `^internal/notify/(${telling.slice(at).join('|')})/` },
    })),
    {
      name: 'pure',
      comment: 'pool, dialect and what notices say import no npm package and no node module',
      severity: 'error',
      from: { path: '^internal/(pool|dialect|when|notify/(incident|phrase))/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-no-pkg', 'core'] },
    },
    ...Object.entries(homes).map(([dependency, packages]) => ({
      name: `home-of-${dependency}`,
      severity: 'error',
      from: { path: product, pathNot: `^internal/(${packages.join('|')})/` },
      to: { path: `node_modules/${dependency}/` },
    })),
    {
      name: 'better-sqlite3-through-the-driver',
      comment: 'the wrong version for a Node ends the process: internal/store/driver.ts chooses, for tests as well',
      severity: 'error',
      from: { pathNot: '^(dist/)?internal/store/driver\\.[jt]s$' },
      to: { path: 'node_modules/better-sqlite3' },
    },
    {
      name: 'cmd-is-tiny',
      severity: 'error',
      from: { path: '^cmd/' },
      to: { path: '^internal/', pathNot: '^internal/(app|cli)/' },
    },
    {
      name: 'no-tests-in-the-product',
      severity: 'error',
      from: { path: product },
      to: { path: '(^test/|\\.test\\.ts$)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.json'],
      conditionNames: ['import', 'types', 'node', 'default'],
    },
  },
}
