import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { addCredentials, type Bench, startBench } from '../../test/fakes/rig/operations.ts'
import { portWith } from '../../test/fakes/rig/port.ts'
import { unguarded } from '../../test/fakes/unguarded.ts'
import type { GuardShape } from '../ops/ops.ts'
import { type Port, runCli, Unreachable } from './cli.ts'
import { completionScript } from './completion.ts'

const guarded = {
  budgets: [{ name: 'dumps' }],
  hotPaths: [{ name: 'crawl' }],
  workers: [{ name: 'crawler' }],
} as GuardShape

let bench: Bench

beforeEach(async () => {
  bench = await startBench({ parts: { guard: { ...unguarded(), status: async () => guarded } } })
  await addCredentials(bench.ops, ['work', 'personal'])
  await bench.ops.poolCreate({ name: 'openai', provider: 'openai', members: ['work'] })
  await bench.ops.keyCreate({ name: 'ci' })
})
afterEach(() => bench.stop())

async function complete(words: string[], open?: Port['open']): Promise<string[]> {
  const written: string[] = []
  const sink = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk))
      done()
    },
  })
  const port = portWith({ open: open ?? (async () => ({ ops: bench.ops, close: async () => undefined })) })
  const io = { stdin: Readable.from([]), stdout: sink, stderr: sink, env: {}, cwd: '/', port }
  expect(await runCli(['__complete', '--', ...words], io)).toBe(0)
  return written
    .join('')
    .split('\n')
    .filter((word) => word !== '')
}

test.each<[string, string[], string[]]>([
  ['commands', ['po'], ['pool']],
  ['commands of a group', ['pool', 'r'], ['reorder', 'rotate']],
  ['commands after a global flag', ['--data', '/d', 'ke'], ['key']],
  [
    'flags',
    ['pool', 'rotate', 'openai', '--'],
    ['--to', '--for', '--json', '--data', '--config', '--version', '--help'],
  ],
  ['pools', ['pool', 'status', ''], ['openai']],
  ['pools of check', ['check', 'o'], ['openai']],
  ['members of the pool', ['pool', 'park', 'openai', ''], ['work']],
  ['credentials for a pool', ['pool', 'add', 'openai', ''], ['work', 'personal']],
  ['credentials', ['cred', 'show', 'p'], ['personal']],
  ['keys', ['key', 'revoke', ''], ['ci']],
  ['keys behind a flag', ['env', 'openai', '--key', ''], ['ci']],
  ['providers', ['cred', 'add', 'x', '--provider', 'open'], ['openai', 'openrouter']],
  ['pools and credentials', ['token', ''], ['openai', 'work', 'personal']],
  ['budgets', ['guard', 'enforce', ''], ['dumps']],
  ['budgets behind a flag', ['run', '--budget', ''], ['dumps']],
  ['hot paths', ['guard', 'recover', ''], ['crawl']],
  ['what can be switched on', ['guard', 'enable', ''], ['crawl', 'crawler']],
  ['tools', ['cred', 'import', ''], ['codex', 'claude', 'gemini']],
  ['shells', ['completion', ''], ['bash', 'zsh', 'fish']],
  ['nothing where a new name is typed', ['cred', 'add', ''], []],
  ['nothing for a secret flag', ['cred', 'add', 'x', '--from-file', ''], []],
])('%s are completed', async (_name, words, expected) => {
  expect((await complete(words)).sort()).toEqual([...expected].sort())
})

test('what cannot be looked up is left out without a word', async () => {
  const open = async () => {
    throw new Unreachable('x')
  }
  expect(await complete(['pool', 'status', ''], open)).toEqual([])
  expect(await complete(['pool', 'st'], open)).toEqual(['status'])
})

test('the bash script completes what the program says', () => {
  const folder = mkdtempSync(join(tmpdir(), 'spillway-completion-'))
  const file = join(folder, 'script.bash')
  const fake = 'spillway() { [ "$1/$2/$3/$4/$5/$#" = "__complete/--/pool/status/op/5" ] && printf "openai\\nopal\\n"; }'
  const typed = `COMP_WORDS=(spillway pool status op) COMP_CWORD=3; _spillway; printf "%s\\n" "\${COMPREPLY[@]}"`
  writeFileSync(file, `${fake}\n${completionScript('bash', 'spillway')}\n${typed}\n`)
  const ran = spawnSync('bash', ['--norc', file], { encoding: 'utf8' })
  rmSync(folder, { recursive: true })
  expect(ran).toMatchObject({ stdout: 'openai\nopal\n', stderr: '', status: 0 })
})

test.each(['zsh', 'fish'] as const)('the %s script asks the program, too', (shell) => {
  expect(completionScript(shell, 'spillway')).toContain('spillway __complete -- ')
})
