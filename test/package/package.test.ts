import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, normalize } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fakeUpstream } from '../fakes/upstream/upstream.ts'
import { root, textOf } from '../support/citations.ts'

const run = promisify(execFile)
const minutes = (count: number) => count * 60_000
const folder = mkdtempSync(join(tmpdir(), 'spillway-package-'))
const installed = join(folder, 'node_modules/spillway')
const program = join(folder, 'node_modules/.bin/spillway')
const around = process.env
// Without the variables of an npm around us, and with a home that has no configuration.
const env = {
  PATH: `${dirname(process.execPath)}:${around.PATH}`,
  HOME: folder,
  npm_config_cache: join(folder, 'cache'),
}

let files: Set<string>

/** The program as its own build has left it is packed and installed, without a network: everything it needs is inside. */
beforeAll(async () => {
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
  const { stdout } = await run('npm', pack, { cwd: root, env, maxBuffer: 64 * 1024 ** 2 })
  const packed = JSON.parse(stdout)
  const [{ filename, files: all }] = Array.isArray(packed) ? packed : Object.values(packed)
  files = new Set(all.map(({ path }: { path: string }) => path))
  const install = [
    'install',
    '--offline',
    '--omit=dev',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--prefix',
    folder,
  ]
  await run('npm', [...install, join(folder, filename)], { cwd: folder, env })
  // What an install script adds on Node 20 takes a minute to compile.
  if (process.versions.node.startsWith('20.'))
    symlinkSync(join(root, 'runtime/node20/node_modules'), join(installed, 'runtime/node20/node_modules'))
}, minutes(5))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const own = () => [...files].filter((path) => !path.startsWith('node_modules/'))

test.each([
  'dist/cmd/spillway/main.js',
  'dist/bundle/program.js',
  'dist/internal/demo/demo.js',
  'dist/internal/web/client/app.js',
  'dist/internal/web/client/app.css',
  'dist/internal/web/client/icon.svg',
  'internal/config/spillway.schema.json',
  'internal/ledger/prices.json',
  'runtime/install.mjs',
  'runtime/node20/package-lock.json',
  'docs/interface.md',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
])('the package has %s', (path) => {
  expect(files.has(path)).toBe(true)
})

test('the package has no tests, sources or source maps', () => {
  expect(own().filter((path) => /(^dist\/test\/|\.test\.|\.map$|\.ts$|^test\/|^\.ci\/)/.test(path))).toEqual([])
  const mapped = own().filter((path) => path.endsWith('.js') && /^\/\/# sourceMappingURL/m.test(textOf(path)))
  expect(mapped).toEqual([])
})

test('every link of its documents leads to a file that it has', () => {
  const dead = own()
    .filter((path) => path.endsWith('.md'))
    .flatMap((path) =>
      [...textOf(path).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
        .map(([, link = '']) => link)
        .filter((link) => !/^\w+:/.test(link) && !files.has(normalize(join(dirname(path), link))))
        .map((link) => `${path}: ${link}`),
    )
  expect(dead).toEqual([])
})

test('all that is installed is what the lock file names', () => {
  const { dependencies, bundleDependencies } = JSON.parse(textOf('package.json'))
  expect(bundleDependencies).toEqual(Object.keys(dependencies))
  const { packages } = JSON.parse(textOf('package-lock.json')) as { packages: Record<string, Locked> }
  const needed = Object.entries(packages).filter(([path, { dev, optional }]) => path !== '' && !dev && !optional)
  expect(needed.length).toBeGreaterThan(50)
  const other = needed.filter(([path, { version }]) => versionAt(join(installed, path)) !== version)
  expect(other).toEqual([])
})

interface Locked {
  readonly version: string
  readonly dev?: boolean
  readonly optional?: boolean
}

function versionAt(path: string): string | null {
  const manifest = join(path, 'package.json')
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : null
}

test(
  'the installed program serves a request',
  async () => {
    const upstream = await fakeUpstream()
    const data = join(folder, 'data')
    const told = {
      ...env,
      OPENAI_API_KEY: 'sk-packed',
      SPILLWAY_SERVER_LISTEN: '127.0.0.1:0',
      SPILLWAY_WEB_LISTEN: '127.0.0.1:0',
    }
    const typed = (...words: string[]) => run(program, ['--data', data, ...words], { env, cwd: folder })
    await typed('init')
    const { stdout } = await typed('key', 'create', 'agent')
    const add = run(
      program,
      ['--data', data, 'cred', 'add', 'work', '--provider', 'openai', '--base-url', upstream.url],
      { env },
    )
    add.child.stdin?.end('sk-packed')
    await add
    await typed('pool', 'create', 'team', '--provider', 'openai', '--members', 'work')
    const daemon = spawn(program, ['--data', data, 'serve'], { env: told, cwd: folder })
    const ended = new Promise((resolve) => daemon.once('exit', resolve))
    try {
      const origin = await new Promise<string>((resolve, reject) => {
        let said = ''
        daemon.stdout.on('data', (bytes: Buffer) => {
          said += bytes
          const found = /http:\/\/[\d.]+:\d+/.exec(said)?.[0]
          if (found) resolve(found)
        })
        void ended.then(() => reject(new Error(said)))
      })
      const answer = await fetch(`${origin}/team/v1/models`, { headers: { authorization: `Bearer ${stdout.trim()}` } })
      expect(answer.status).toBe(200)
      expect(upstream.requests.at(-1)?.credential).toBe('sk-packed')
      const link = (await typed('web', '--print')).stdout.trim()
      const entered = await fetch(link, { redirect: 'manual' })
      const [cookie = ''] = entered.headers.get('set-cookie')?.split(';') ?? []
      const page = await (await fetch(new URL('/', link), { headers: { cookie } })).text()
      expect(page).toContain('<b>work</b> serves')
      const script = /src="(\/assets\/app\.js[^"]*)"/.exec(page)?.[1] ?? ''
      expect((await fetch(new URL(script, link), { headers: { cookie } })).status).toBe(200)
    } finally {
      daemon.kill('SIGTERM')
      expect(await ended).toBe(0)
      await upstream.close()
    }
  },
  minutes(2),
)

test(
  'the installed program shows its demo',
  async () => {
    const { stdout } = await run(program, ['demo'], { env, cwd: folder })
    expect(stdout).toContain('errors before the pool was exhausted: 0')
    expect(stdout).toContain("fetch, because OpenAI's SDK is not installed here")
  },
  minutes(3),
)
