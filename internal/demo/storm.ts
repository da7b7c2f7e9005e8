/**
 * The demo of a storm: a backlog of jobs against a token that was revoked. First a loop that retries, as people write
 * it; then `spillway run` in its place. Files, bytes and requests are counted as they happen.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Page, paint, pause } from './print.ts'
import { Stage } from './stage.ts'
import { revoked, Upstream } from './upstream.ts'

const jobs = 400
const retries = 3
const together = 8
const forMs = 12_000

/** A job: writes a session file, asks once, and fails with what it was told. */
const work = `
const folder = process.argv[1]
require('fs').writeFileSync(folder + '/session-' + process.pid + '-' + Date.now() + '.jsonl', 'x'.repeat(40000))
fetch(process.env.OPENAI_BASE_URL + '/chat/completions', {
  method: 'POST', headers: { authorization: 'Bearer ' + process.env.OPENAI_API_KEY }, body: '{}',
}).then((response) => process.exit(response.ok ? 0 : 1), () => process.exit(1))
`

interface Count {
  attempts: number
  jobsDone: number
  said: Set<string>
  readonly folder: string
}

function started(folder: string): Count {
  mkdirSync(folder)
  return { attempts: 0, jobsDone: 0, said: new Set(), folder }
}

function filled(folder: string): { files: number; bytes: number } {
  const files = readdirSync(folder)
  return { files: files.length, bytes: files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0) }
}

function ended(command: string, args: readonly string[], env: Record<string, string | undefined>) {
  return new Promise<{ code: number; said: string }>((resolve) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.on('data', (bytes: Buffer) => {
      said += bytes
    })
    child.on('close', (code) => resolve({ code: code ?? 1, said: said.trim() }))
  })
}

/** A backlog of jobs, some at a time, until all are done or the time is up; shows what it has cost so far. */
async function backlog(
  { page, upstream }: { page: Page; upstream: Upstream },
  count: Count,
  job: () => Promise<void>,
): Promise<string> {
  const before = upstream.requests
  const until = Date.now() + forMs
  let next = 0
  const line = () => {
    const { files, bytes } = filled(count.folder)
    const requests = upstream.requests - before
    return `${count.jobsDone} of ${jobs} jobs, ${count.attempts} starts, ${requests} requests, ${files} files, ${(bytes / 1024 ** 2).toFixed(1)} MiB`
  }
  const worker = async () => {
    while (next < jobs && Date.now() < until) {
      next++
      await job()
      count.jobsDone++
    }
  }
  const all = Promise.all(Array.from({ length: together }, worker))
  let over = false
  void all.then(() => {
    over = true
  })
  while (!over) {
    page.show([`  ${line()}`])
    await pause(page.isLive ? 200 : 3_000)
  }
  await all
  page.show([`  ${line()}`])
  page.keep()
  return line()
}

/** Tells the story; true when it went as it should. */
export async function storm(page: Page, program: string): Promise<boolean> {
  const upstream = await Upstream.start()
  const stage = new Stage(program)
  const folder = mkdtempSync(join(tmpdir(), 'spillway-storm-'))
  try {
    upstream.refuse('sk-demo-revoked', revoked)
    page.say(`${paint('bold', `A token was revoked. ${jobs} jobs wait.`)}\n`)

    page.say(paint('bold', `1. A loop that retries ${retries} times, for ${forMs / 1000} s:`))
    const naive = started(join(folder, 'naive'))
    const direct = { PATH: process.env.PATH, OPENAI_BASE_URL: `${upstream.url}/v1`, OPENAI_API_KEY: 'sk-demo-revoked' }
    const first = await backlog({ page, upstream }, naive, async () => {
      for (let attempt = 0; attempt <= retries; attempt++) {
        naive.attempts++
        if ((await ended(process.execPath, ['-e', work, naive.folder], direct)).code === 0) return
      }
    })

    page.say(`\n${paint('bold', '2. The same jobs under spillway run:')}`)
    await stage.run(['init'])
    await stage.run(
      ['cred', 'add', 'work', '--provider', 'openai', '--no-check', '--base-url', upstream.url],
      'sk-demo-revoked',
    )
    await stage.run(['pool', 'create', 'openai', '--provider', 'openai', '--members', 'work'])
    await stage.serve()
    const guarded = started(join(folder, 'guarded'))
    const second = await backlog({ page, upstream }, guarded, async () => {
      const words = ['run', '--pool', 'openai', '--retries', String(retries), '--']
      const { said } = await stage.ended([...words, process.execPath, '-e', work, guarded.folder])
      guarded.attempts = filled(guarded.folder).files
      guarded.said.add(said.split('\n').at(-1) ?? '')
    })

    page.say(`\n${paint('bold', 'What it cost')}`)
    page.say(`  retry loop   ${first}`)
    page.say(`  spillway     ${second}`)
    page.say(`\n${paint('bold', 'What each job that was not started says')}`)
    for (const line of guarded.said) page.say(`  ${line}`)
    return guarded.attempts < naive.attempts / 4 && naive.attempts > jobs / 4
  } finally {
    await stage.close()
    await upstream.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
