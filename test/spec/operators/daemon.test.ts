import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Program } from '../../fakes/rig/program.ts'

let program: Program

beforeEach(() => {
  program = new Program()
})
afterEach(() => program.close())

it('a daemon that hangs is named within seconds, with what ends it', async () => {
  const { process: daemon } = await program.serve()
  daemon.kill('SIGSTOP')
  const { code, stderr } = await program.run(['status'])
  expect(code).toBe(69)
  expect(stderr).toContain(`in use by process ${daemon.pid}`)
  expect(stderr).toContain(`hint: it hangs: kill -TERM ${daemon.pid} `)
  daemon.kill('SIGCONT')
  expect((await program.run(['status'])).code).toBe(0)
})

it.each([['status'], ['pool', 'list'], ['check', 'team'], ['doctor']])(
  'looking with %s %s makes nothing where nothing was set up',
  async (...words) => {
    const { code, stdout, stderr } = await program.run(words)
    expect(code).not.toBe(0)
    expect(stdout + stderr).toContain(`nothing is set up in ${program.data} (--data)`)
    expect(existsSync(program.data)).toBe(false)
  },
)

it('npm start leaves no daemon behind when it is told to end', async () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { start: string } }
  const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter)
  const env = { PATH, HOME: process.env.HOME, SPILLWAY_DATA: program.data, SPILLWAY_WEB_LISTEN: 'null' }
  // As npm runs it: in a shell, to which the signal goes.
  const shell = spawn('sh', ['-c', `${scripts.start} --listen 127.0.0.1:0`], { env })
  let said = ''
  shell.stdout.on('data', (bytes: Buffer) => {
    said += bytes
  })
  await expect.poll(() => said, { timeout: 30_000 }).toMatch(/listens on http/)
  const [origin = ''] = /http:\/\/[\d.]+:\d+/.exec(said) ?? []
  shell.kill('SIGTERM')
  await once(shell, 'exit')
  await expect(fetch(`${origin}/healthz`)).rejects.toThrow()
})

it('a directory that nobody can make is refused at once', async () => {
  const { code, stderr } = await program.run(['--data', '/proc/spillway', 'init'])
  expect(code).toBe(1)
  expect(stderr).toContain('/proc/spillway cannot be the data directory')
})

it('a first start without a terminal prints no key, and says how to read it', async () => {
  const { process: daemon, ended } = await program.serve()
  const shown = await program.run(['key', 'show', 'local'])
  expect(shown.stdout).toMatch(/^sk-spillway-/)
  daemon.kill('SIGTERM')
  const { stdout, stderr } = await ended
  expect(stdout).toContain('key show local prints it')
  expect(stdout + stderr).not.toContain(shown.stdout.trim())
})

it('the log says why a configuration was rejected, that it drains, and that it has stopped', async () => {
  const { process: daemon, ended } = await program.serve()
  writeFileSync(join(program.data, 'spillway.yaml'), 'server: { listn: 1 }\n')
  expect(await program.ops.reload({})).toMatchObject({ applied: false })
  daemon.kill('SIGTERM')
  const lines = (await ended).stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const rejected = lines.find(({ msg }) => msg === 'config_rejected')
  expect(rejected.problems[0]).toContain('server.listn: unknown key')
  expect(Object.values(rejected)).not.toContain(null)
  // The line of an event can come a little later than what has happened since.
  const told = lines.filter(({ msg }) => msg !== 'config_rejected')
  expect(told.slice(-2)).toMatchObject([{ msg: 'draining', signal: 'SIGTERM' }, { msg: 'stopped' }])
})

it.runIf(existsSync('/dev/full'))('a result that cannot be written is an error', async () => {
  const main = new URL('../../../dist/cmd/spillway/main.js', import.meta.url).pathname
  const line = `'${process.execPath}' '${main}' --version > /dev/full`
  await expect(promisify(execFile)('sh', ['-c', line])).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('the result was not written'),
  })
})
