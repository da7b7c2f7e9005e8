import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { environmentName, loadConfig } from '../../internal/config/config.ts'
import { settings } from '../../internal/config/schema/schema.ts'
import { root, textOf } from '../support/citations.ts'

const lines = textOf('deploy/Dockerfile').replaceAll('\\\n', ' ').split('\n')

/** What follows the last line of that instruction. */
const last = (instruction: string) =>
  lines.findLast((line) => new RegExp(`^\\s*${instruction}\\b`).test(line))?.replace(/^\s*\w+\s+/, '') ?? ''
/** The words of a command in its JSON form. */
const wordsOf = (text: string): string[] => JSON.parse(/\[.*\]/.exec(text)?.[0] ?? '[]')
const variables = [...last('ENV').matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value] as const)

describe('the image', () => {
  test('starts the program of the package as an ordinary user, and asks it how it is', () => {
    const [, module = ''] = wordsOf(last('ENTRYPOINT'))
    const { bin } = JSON.parse(textOf('package.json'))
    expect(module).toBe(`/opt/spillway/${bin.spillway}`)
    expect(last('USER')).toMatch(/^[1-9]\d+:[1-9]\d+$/)
    expect(last('HEALTHCHECK')).toContain('/readyz')
    expect(wordsOf(last('CMD'))).toEqual(['serve'])
  })

  test('sets variables that exist', () => {
    const known = new Set(['HOME', 'SPILLWAY_DATA', ...[...settings.keys()].map(environmentName)])
    expect(variables.map(([name]) => name).filter((name) => !known.has(name))).toEqual([])
    expect(new Map(variables).get('SPILLWAY_DATA')).toBe(last('VOLUME'))
  })
})

describe('the compose file', () => {
  const { spillway } = parse(textOf('deploy/compose.yaml')).services

  test('is read-only but for the volume, has no privileges, and is published to this machine alone', () => {
    expect(spillway).toMatchObject({ read_only: true, cap_drop: ['ALL'], volumes: [`data:${last('VOLUME')}`] })
    for (const port of spillway.ports) expect(port).toMatch(new RegExp(`^127\\.0\\.0\\.1:\\d+:${last('EXPOSE')}$`))
    expect(existsSync(join(root, 'deploy', spillway.build.context, spillway.build.dockerfile))).toBe(true)
  })

  test('gives a stop more time than a drain takes', () => {
    const loaded = loadConfig({ file: '/none', explicit: false, env: {}, dataDir: '/data' })
    const graceMs = Number(/^(\d+)s$/.exec(spillway.stop_grace_period)?.[1]) * 1_000
    expect(graceMs).toBeGreaterThan(loaded.ok ? loaded.config.server.drainMs : Number.POSITIVE_INFINITY)
  })
})

/** The same layout by hand: another user, a program that it cannot write, and a volume. */
describe.runIf(process.getuid?.() === 0 && process.platform === 'linux')('the layout', () => {
  const folder = mkdtempSync(join(tmpdir(), 'spillway-container-'))
  const [uid = 0, gid = 0] = last('USER').split(':').map(Number)
  const data = join(folder, 'data')
  const program = join(folder, 'opt')

  beforeAll(() => {
    chmodSync(folder, 0o755)
    mkdirSync(data, { mode: 0o700 })
    chownSync(data, uid, gid)
    const { packages } = JSON.parse(textOf('package-lock.json')) as { packages: Record<string, { dev?: true }> }
    const modules = Object.keys(packages).filter((path) => path.startsWith('node_modules/') && !packages[path]?.dev)
    const { files } = JSON.parse(textOf('package.json')) as { files: string[] }
    const extras = files.filter((path) => path.startsWith('internal/') && !path.includes('*'))
    for (const part of ['dist/bundle', 'dist/cmd', 'dist/internal', 'runtime', 'package.json', ...extras, ...modules])
      if (existsSync(join(root, part))) cpSync(join(root, part), join(program, part), { recursive: true })
    execFileSync('chmod', ['-R', 'a+rX,go-w', program])
  }, 300_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('starts, is healthy, and writes no key to its log', async () => {
    const port = await freePort()
    const env = {
      ...Object.fromEntries(variables),
      HOME: data,
      SPILLWAY_DATA: data,
      SPILLWAY_SERVER_LISTEN: `127.0.0.1:${port}`,
    }
    const main = join(program, 'dist/cmd/spillway/main.js')
    const started = spawn(process.execPath, [main, ...wordsOf(last('CMD'))], { uid, gid, env, cwd: '/' })
    const ended = new Promise((resolve) => started.once('exit', resolve))
    let said = ''
    for (const stream of [started.stdout, started.stderr]) stream.on('data', (bytes: Buffer) => (said += bytes))
    await expect.poll(() => said, { timeout: 60_000 }).toContain('key show local')
    const [node = '', flag = '', script = ''] = wordsOf(last('HEALTHCHECK').slice(last('HEALTHCHECK').indexOf('[')))
    expect([node, flag]).toEqual(['/usr/local/bin/node', '-e'])
    execFileSync(process.execPath, ['-e', script.replace(':8460', `:${port}`)], { uid, gid })
    const key = execFileSync(process.execPath, [main, 'key', 'show', 'local'], { uid, gid, env, encoding: 'utf8' })
    started.kill('SIGTERM')
    expect(await ended).toBe(0)
    expect(key).toMatch(/^sk-spillway-/)
    expect(said).not.toContain(key.trim())
  }, 120_000)
})

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
