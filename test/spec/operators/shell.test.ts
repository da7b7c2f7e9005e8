import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Program, type Served } from '../../fakes/rig/program.ts'
import { type FakeUpstream, fakeUpstream } from '../../fakes/upstream/upstream.ts'

const program = new Program()
let upstream: FakeUpstream
let served: Served

beforeAll(async () => {
  upstream = await fakeUpstream()
  await program.run(['init'])
  await program.run(['cred', 'add', 'work', '--provider', 'openai', '--no-check'], { input: 'sk-work\n' })
  const members = ['--provider', 'openai', '--members', 'work', '--upstream', upstream.url]
  await program.run(['pool', 'create', 'openai', ...members])
  served = await program.serve()
})

afterAll(async () => {
  served.process.kill('SIGTERM')
  await served.ended
  await upstream.close()
  program.close()
})

/** What an agent started in that shell, after the lines of `env`, would see. */
function variablesIn(shell: string, lines: string): Record<string, string> {
  const file = program.beside(`lines.${shell}`)
  writeFileSync(file, `${lines}\nenv\n`)
  const ran = spawnSync(shell, [file], { encoding: 'utf8', env: { PATH: process.env.PATH } })
  expect(ran.stderr).toBe('')
  return Object.fromEntries(ran.stdout.split('\n').map((line) => [line.split('=')[0], line.replace(/^[^=]*=/, '')]))
}

const missing = (shell: string) => spawnSync(shell, ['--version']).error !== undefined

describe('env', () => {
  it.for([
    { shell: 'sh', flag: [] },
    { shell: 'bash', flag: ['--shell', 'bash'] },
    { shell: 'zsh', flag: ['--shell', 'zsh'] },
    { shell: 'fish', flag: ['--shell', 'fish'] },
  ])(
    'points an agent that is started from $shell at the pool, with a key that works',
    async ({ shell, flag }, test) => {
      test.skip(shell !== 'sh' && missing(shell), `${shell} is not installed`)
      const { stdout, code } = await program.run(['env', 'openai', ...flag])
      expect(code).toBe(0)
      const { OPENAI_BASE_URL, OPENAI_API_KEY } = variablesIn(shell, stdout)
      expect(OPENAI_BASE_URL).toBe(`${served.origin}/openai/v1`)
      const response = await fetch(`${OPENAI_BASE_URL}/models`, {
        headers: { authorization: `Bearer ${OPENAI_API_KEY}` },
      })
      expect(response.status).toBe(200)
      expect(upstream.requests.at(-1)).toMatchObject({ target: '/v1/models', credential: 'sk-work' })
    },
  )

  it.for([
    { shell: 'sh', flag: 'sh' },
    { shell: 'bash', flag: 'bash' },
    { shell: 'fish', flag: 'fish' },
  ])('fails in $shell where it fails, so that nothing after it runs', async ({ shell, flag }, test) => {
    test.skip(missing(shell), `${shell} is not installed`)
    const { stdout, code } = await program.run(['env', 'opnai', '--shell', flag])
    expect(code).toBe(3)
    expect(spawnSync(shell, ['-c', `eval "${stdout.trim()}" && echo went on`])).toMatchObject({ status: 1 })
  })

  it('prints a placeholder for a key that is kept nowhere', async () => {
    const { stdout: key } = await program.run(['key', 'create', 'ci'])
    const { stdout } = await program.run(['env', 'openai', '--key', 'ci'])
    expect(stdout).not.toContain(key.trim())
    expect(variablesIn('sh', stdout).OPENAI_API_KEY).toMatch(/PUT-THE-CLIENT-KEY-HERE/)
  })
})

describe('completion', () => {
  it.for(['bash', 'zsh', 'fish'])('of %s is a script that the shell accepts', async (shell, test) => {
    test.skip(missing(shell), `${shell} is not installed`)
    const { stdout, code } = await program.run(['completion', shell])
    expect(code).toBe(0)
    const file = program.beside(`completion.${shell}`)
    writeFileSync(file, stdout)
    expect(spawnSync(shell, ['-n', file], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
  })
})
