import { PassThrough, Readable, Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addCredentials, type Bench, startBench } from '../../test/fakes/rig/operations.ts'
import { portWith } from '../../test/fakes/rig/port.ts'
import { Refusal } from '../pool/pool.ts'
import { type CliIo, type Port, runCli, type Started, Unreachable } from './cli.ts'

let bench: Bench
let opened: number

beforeEach(async () => {
  bench = await startBench()
  opened = 0
})
afterEach(() => bench.stop())

function port(change: Partial<Port> = {}): Port {
  return portWith({
    now: () => bench.clock.now(),
    async open() {
      opened++
      return {
        ops: bench.ops,
        async close() {
          opened--
        },
      }
    },
    ...change,
  })
}

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function run(argv: string[], io: Partial<CliIo> = {}): Promise<Ran> {
  const [out, err]: [string[], string[]] = [[], []]
  const [stdout, stderr] = [sink(out), sink(err)]
  const code = await runCli(argv, {
    stdin: Readable.from([]),
    stdout,
    stderr,
    env: {},
    cwd: '/work',
    port: port(),
    ...io,
  })
  return { code, out: out.join(''), err: err.join('') }
}

function sink(into: string[]): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      into.push(String(chunk))
      done()
    },
  })
}

describe('the exit code', () => {
  test.each<[string, Error, number]>([
    ['nothing of that name', new Refusal('not-found', 'x'), 3],
    ['what cannot be done now', new Refusal('conflict', 'x'), 4],
    ['wrong arguments', new Refusal('invalid', 'x'), 2],
    ['a failure', new Refusal('failed', 'x'), 1],
    ['a pool that cannot serve', new Refusal('try-later', 'x'), 75],
    ['a person who must act', new Refusal('needs-person', 'x'), 77],
    ['a silent daemon', new Unreachable('x'), 69],
    ['an error nobody foresaw', new TypeError('x'), 1],
  ])('of %s', async (_name, error, code) => {
    const open = async () => {
      throw error
    }
    expect(await run(['pool', 'list'], { port: port({ open }) })).toMatchObject({
      code,
      out: '',
      err: 'spillway: error: x\n',
    })
  })

  test.each<[string, string[], number]>([
    ['no command', [], 2],
    ['a group without a command', ['pool'], 2],
    ['help', ['--help'], 0],
    ['help of a command', ['pool', 'rotate', '--help'], 0],
    ['the version', ['--version'], 0],
  ])('of %s', async (_name, argv, code) => {
    expect((await run(argv)).code).toBe(code)
  })

  test('help and version go to stdout, and so does nothing else', async () => {
    expect((await run(['--version'])).out).toBe('1.2.3\n')
    expect(await run(['--help'])).toMatchObject({ out: expect.stringContaining('audit'), err: '' })
    expect(await run([])).toMatchObject({ out: '', err: expect.stringContaining('Usage: spillway') })
  })

  test('comes with every line of a long error marked, and its hint', async () => {
    const open = async () => {
      throw new Refusal('failed', 'two problems:\nspillway.yaml:3: a', 'mend it')
    }
    expect((await run(['status'], { port: port({ open }) })).err).toBe(
      'spillway: error: two problems:\nspillway: error: spillway.yaml:3: a\nspillway: hint: mend it\n',
    )
  })
})

describe('the installation', () => {
  test.each<[string, string[]]>([
    ['before the command', ['--data', 'd', '--config', '/c.yaml', 'pool', 'list']],
    ['behind it', ['pool', 'list', '--data', 'd', '--config', '/c.yaml']],
    ['around it', ['--data', 'd', 'pool', 'list', '--config=/c.yaml']],
  ])('is named by flags %s', async (_name, argv) => {
    const named: unknown[] = []
    const open: Port['open'] = async (where) => {
      named.push(where)
      return { ops: bench.ops, close: async () => undefined }
    }
    await run(argv, { port: port({ open }) })
    expect(named).toEqual([{ data: '/work/d', config: '/c.yaml' }])
  })

  test('is closed after every command, also one that was refused', async () => {
    await run(['pool', 'list'])
    await run(['pool', 'status', 'nothing'])
    expect(opened).toBe(0)
  })

  test('that cannot be opened is what the doctor finds', async () => {
    const open = async () => {
      throw Object.assign(new Error('the database is corrupt'), { hint: 'restore it from a backup' })
    }
    const found = await run(['doctor'], { port: port({ open }) })
    expect(found).toMatchObject({ code: 1, err: '' })
    expect(found.out).toBe('fail   start   the database is corrupt\n               restore it from a backup\n')
    expect(JSON.parse((await run(['doctor', '--json'], { port: port({ open }) })).out)).toEqual([
      { check: 'start', state: 'fail', message: 'the database is corrupt', hint: 'restore it from a backup' },
    ])
  })
})

/** All that was written; some versions of Node give one piece a call. */
function written(stream: PassThrough): string {
  let text = ''
  for (let piece = stream.read(); piece !== null; piece = stream.read()) text += piece
  return text
}

describe('a terminal', () => {
  const tty = () => Object.assign(new PassThrough(), { isTTY: true as const })
  async function shown(env: Record<string, string>): Promise<string> {
    const stdout = tty()
    await run(['pool', 'list'], { stdout, env })
    return written(stdout)
  }

  test('shows colours, unless NO_COLOR or its kind forbids them', async () => {
    await addCredentials(bench.ops, ['a'])
    await bench.ops.poolCreate({ name: 'openai', provider: 'openai', members: ['a'] })
    expect(await shown({})).toContain('\u001b[32mok\u001b[0m')
    expect(await shown({ NO_COLOR: '1' })).not.toContain('\u001b')
    expect(await shown({ TERM: 'dumb' })).not.toContain('\u001b')
    expect((await run(['pool', 'list'])).out).not.toContain('\u001b')
  })

  test('asks for a secret without showing what is typed', async () => {
    const stdin = Object.assign(new PassThrough(), { isTTY: true as const, setRawMode: () => stdin })
    const typing = run(['cred', 'add', 'work', '--provider', 'openai'], { stdin })
    stdin.write('sk-typp\u007fed\r')
    expect(await typing).toMatchObject({ code: 0, out: expect.stringContaining('added work (openai)') })
    const [record] = (await bench.store.load()).credentials
    expect(await bench.credentials.material(record!)).toMatchObject({ injection: { secret: 'sk-typed' } })
  })

  test('may take its question back', async () => {
    const stdin = Object.assign(new PassThrough(), { isTTY: true as const, setRawMode: () => stdin })
    const typing = run(['cred', 'add', 'work', '--provider', 'openai'], { stdin })
    stdin.write('sk-x\u0003')
    expect(await typing).toMatchObject({ code: 130, out: '', err: 'secret of work: \n' })
    expect(await bench.ops.credList({})).toEqual([])
  })
})

test('a secret may not be as long as a file', async () => {
  const stdin = Readable.from([Buffer.alloc(40_000, 'x'), Buffer.alloc(40_000, 'x')])
  expect(await run(['cred', 'add', 'work', '--provider', 'openai'], { stdin })).toMatchObject({ code: 2 })
})

describe('status --watch', () => {
  test('looks again each second and keeps nothing open meanwhile', async () => {
    const slept: number[] = []
    const sleep = async (ms: number) => {
      expect(opened).toBe(0)
      slept.push(ms)
      if (slept.length === 3) throw new Error('enough')
    }
    const { out } = await run(['status', '--watch', '--json'], { port: port({ sleep }) })
    expect(slept).toEqual([1000, 1000, 1000])
    const lines = out.trim().split('\n')
    expect(lines.map((line) => JSON.parse(line).version)).toEqual(['1.2.3', '1.2.3', '1.2.3'])
  })

  test('draws over itself on a terminal', async () => {
    const stdout = Object.assign(new PassThrough(), { isTTY: true as const })
    const sleep = async () => {
      throw new Error('enough')
    }
    await run(['status', '--watch'], { stdout, port: port({ sleep }) })
    const shown = written(stdout)
    expect(shown.startsWith('\u001b[?1049h')).toBe(true)
    expect(shown).toContain('\u001b[Hspillway 1.2.3')
    expect(shown.endsWith('\u001b[?1049l')).toBe(true)
  })
})

describe('audit export', () => {
  test('prints every row as a line, page by page', async () => {
    const names = Array.from({ length: 1_100 }, (_, n) => `c${n}`)
    await addCredentials(bench.ops, names)
    const { out } = await run(['audit', 'export'])
    const rows = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(rows.map((row) => row.seq)).toEqual(names.map((_, n) => n + 1))
    expect(rows[0]).toMatchObject({ kind: 'cred_added', from: 'c0', actor: 'operator:test' })
  })
})

describe('serve', () => {
  const facts: Started = {
    origin: 'http://127.0.0.1:8460',
    node: '24.22.3',
    fastPath: true,
    data: '/data',
    socket: '/data/admin.sock',
    firstKey: 'sk-spillway-first',
    pools: [{ name: 'openai', provider: 'openai' }],
    credentials: 2,
    notes: [],
    warnings: [],
  }
  function serving(change: Partial<Started>): Promise<Ran> {
    const serve: Port['serve'] = async (_where, _options, started) => {
      started({ ...facts, ...change })
      return 0
    }
    return run(['serve'], { port: port({ serve }) })
  }

  test('says how to point an agent at each pool, and the first key once', async () => {
    expect((await serving({})).out).toBe(
      `spillway listens on http://127.0.0.1:8460 (data in /data; Node 24.22.3, fast path)
a client key named local was made and is kept sealed: spillway key show local prints it
point an agent at a pool, in its terminal:
  eval "$(spillway env openai)"
or in its own configuration:
  spillway connect codex|opencode|qwen
`,
    )
    expect((await serving({ firstKey: null })).out).not.toContain('client key')
    expect((await serving({ fastPath: false })).out).toContain('(data in /data; Node 24.22.3, without the fast path)')
  })

  test('says what to type where there is no credential or no pool', async () => {
    expect((await serving({ credentials: 0, pools: [] })).out).toContain('spillway cred add work --provider openai')
    expect((await serving({ pools: [] })).out).toContain('spillway pool create openai')
  })

  test('names the command that works at this moment', async () => {
    const invocation = () => ({ typed: ['node', '/my clone/main.js', '--data', '/d'], absolute: ['x'] }) as const
    const serve: Port['serve'] = async (_where, _options, started) => {
      started({ ...facts, pools: [{ name: 'p', provider: 'anthropic' }] })
      return 0
    }
    const { out } = await run(['serve'], { port: port({ serve, invocation }) })
    expect(out).toContain(`eval "$(node '/my clone/main.js' --data /d env p)"`)
    expect(out).toContain(`node '/my clone/main.js' --data /d connect claude|opencode\n`)
  })

  test('warns on stderr', async () => {
    expect((await serving({ warnings: ['/data was open to others'] })).err).toBe(
      'spillway: warning: /data was open to others\n',
    )
  })

  test('passes its flags on and ends with the code of the daemon', async () => {
    const seen: unknown[] = []
    const serve: Port['serve'] = async (where, options) => {
      seen.push(where, options)
      return 7
    }
    const argv = ['serve', '--listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:1', '--data', '/d']
    expect((await run(argv, { port: port({ serve }) })).code).toBe(7)
    expect(seen).toEqual([
      { data: '/d', config: null },
      { listen: '127.0.0.1:0', adminListen: '127.0.0.1:1' },
    ])
  })
})

describe('init', () => {
  test('prints the first key, once', async () => {
    const first = { init: async () => ({ data: '/data', key: 'sk-spillway-first' }) }
    expect(await run(['init'], { port: port(first) })).toMatchObject({
      code: 0,
      out: 'data directory: /data\nclient key local: sk-spillway-first\n',
    })
    expect(await run(['init'])).toMatchObject({ code: 0, out: '/data is set up already\n' })
    expect(JSON.parse((await run(['init', '--json'], { port: port(first) })).out)).toEqual({
      data: '/data',
      key: 'sk-spillway-first',
    })
  })
})

test('apply reads stdin for -, with relative files beginning where the caller is', async () => {
  const stdin = Readable.from([Buffer.from('credentials:\n  f: { provider: openai, source: { file: k } }\n')])
  expect(await run(['apply', '-'], { stdin })).toMatchObject({ code: 0, out: 'credential f: created (openai)\n' })
  expect(await bench.ops.credShow({ name: 'f' })).toMatchObject({ source: { path: '/work/k' } })
})

test('check says on stderr when no daemon runs, and that alone changes no exit code', async () => {
  const found = { ...(await bench.ops.poolCheck({ name: await madePool() })), running: false }
  const ops = { ...bench.ops, poolCheck: async () => found }
  const { code, out, err } = await run(['check', 'openai'], {
    port: port({ open: async () => ({ ops, close: async () => undefined }) }),
  })
  expect({ code, out }).toEqual({ code: 0, out: 'openai can serve (a)\n' })
  expect(err).toMatch(/^spillway: no daemon runs: .* spillway serve\n$/)
})

async function madePool(): Promise<string> {
  await addCredentials(bench.ops, ['a'])
  await bench.ops.poolCreate({ name: 'openai', provider: 'openai', members: ['a'] })
  return 'openai'
}
