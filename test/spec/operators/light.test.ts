/**
 * What a command loads that asks the daemon and ends: prompts and status bars run it every few seconds, and nearly all of its
 * time is the loading of modules.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Program } from '../../fakes/rig/program.ts'

const program = new Program()
let coverage: string

beforeAll(async () => {
  coverage = mkdtempSync(join(tmpdir(), 'spillway-light-'))
  await program.serve({ OPENAI_API_KEY: 'sk-first-0123456789abcdef' })
})
afterAll(() => {
  program.close()
  rmSync(coverage, { recursive: true })
})

/** The files that a run loads. */
async function loaded(args: readonly string[]): Promise<readonly string[]> {
  const folder = mkdtempSync(join(coverage, 'run-'))
  const { code, stderr } = await program.run(args, { env: { NODE_V8_COVERAGE: folder } })
  expect({ code, stderr: stderr.replace(/^spillway: nothing is guarded.*\n/, '') }).toEqual({ code: 0, stderr: '' })
  const [report = ''] = readdirSync(folder)
  const { result } = JSON.parse(readFileSync(join(folder, report), 'utf8')) as { result: { url: string }[] }
  return result.map(({ url }) => url).filter((url) => url.startsWith('file:'))
}

const bytesOf = (files: readonly string[]) => files.reduce((sum, file) => sum + statSync(new URL(file)).size, 0)

test.each(['status', 'status --json', 'check openai', 'guard status', 'pool status openai', '--version', '--help'])(
  '%s',
  async (line) => {
    const args = line.split(' ')
    const files = await loaded(args)
    // Everything else is in the bundle, in the parts that this command needs.
    expect(files.filter((file) => !file.includes('/dist/bundle/')).length).toBe(2)
    expect(files.length).toBeLessThan(args.includes('--help') ? 60 : 30)
    expect(bytesOf(files)).toBeLessThan(args.includes('--help') ? 280_000 : 170_000)
  },
)
