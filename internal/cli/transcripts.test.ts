import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addCredentials, type Bench, startBench } from '../../test/fakes/rig/operations.ts'
import { portWith } from '../../test/fakes/rig/port.ts'
import { limited } from '../../test/fakes/rig/records.ts'
import { createAdmin } from '../admin/admin.ts'
import type { Ops } from '../ops/ops.ts'
import { remoteOps, runCli } from './cli.ts'

/*
 * A transcript is a text file that says in its first line what it is about: `$ spillway …` is run (`< text` gives it stdin), plain lines are its stdout, `! ` marks
 * stderr, `= N` an exit code that is not 0. `% …` is done to the installation: `advance MS`, `attempt POOL [limited]` and the like.
 * Each is played against the operations of this process and over the admin socket: both must give what the file says.
 */
const folder = new URL('transcripts/', import.meta.url).pathname

let zone: string | undefined
let bench: Bench

beforeEach(async () => {
  zone = process.env.TZ
  process.env.TZ = 'UTC'
  bench = await startBench({ env: { GIVEN: 'sk-from-env' } })
})
afterEach(async () => {
  await bench.stop()
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
})

describe.each(readdirSync(folder).sort())('%s', (name) => {
  const path = join(folder, name)

  test('by the operations of this process', async () => {
    await expect(await play(readFileSync(path, 'utf8'), bench.operations.as('operator:cli'))).toMatchFileSnapshot(path)
  })

  test('over the admin socket', async () => {
    const socket = join(bench.data, 's')
    const admin = createAdmin({
      ops: bench.operations,
      metrics: { render: async () => '', contentType: 'text/plain' },
      events: () => () => undefined,
      after: (delayMs, run) => bench.clock.after(delayMs, run),
      failed: (error) => {
        throw error
      },
    })
    await admin.listen({ socket, tcp: null })
    try {
      expect(await play(readFileSync(path, 'utf8'), remoteOps(socket, 'operator:cli'))).toBe(readFileSync(path, 'utf8'))
    } finally {
      await admin.close()
    }
  })
})

async function play(transcript: string, ops: Ops): Promise<string> {
  const lines: string[] = []
  for (const line of transcript.split('\n')) {
    if (line.startsWith('# ') && lines.length === 0) lines.push(line)
    else if (line.startsWith('% ')) {
      lines.push('', line)
      await happen(line.slice(2).split(' '))
    } else if (line.startsWith('$ spillway ')) {
      lines.push('', line)
      lines.push(...(await typed(line.slice('$ spillway '.length), ops)))
    }
  }
  return `${lines.join('\n').trim()}\n`
}

async function happen([what, first = '', second]: string[]): Promise<void> {
  if (what === 'advance') return bench.clock.advance(Number(first))
  if (what === 'attempt') bench.attempt(first, second === 'limited' ? limited : {})
  else if (what === 'credentials') await addCredentials(bench.ops, first.split(','), second)
  else if (what === 'needs-login') await bench.engine.needsLogin(first, 1, 'refresh-rejected')
  else if (what === 'keep') await bench.ops.keyCreate({ name: first, keep: true })
  else if (what === 'find') bench.finding = first as Bench['finding']
  else throw new Error(`nothing like ${what} can happen`)
}

async function typed(line: string, ops: Ops): Promise<string[]> {
  const [command = '', given] = line.split(' < ')
  const written: string[] = []
  const stream = (mark: string) =>
    new Writable({
      decodeStrings: false,
      write(text: string, _encoding, done) {
        for (const each of text.replace(/\n$/, '').split('\n')) written.push(mark + each)
        done()
      },
    })
  const code = await runCli(words(command), {
    stdin: Readable.from(given === undefined ? [] : [Buffer.from(given)]),
    stdout: stream(''),
    stderr: stream('! '),
    env: {},
    cwd: join(folder, '../fixtures'),
    port: portWith({
      now: () => bench.clock.now(),
      open: async () => ({ ops, close: async () => undefined }),
      init: async () => ({ data: bench.data, key: null }),
    }),
  })
  const shown = written
    .join('\n')
    .replace(/sk-spillway-[\w-]{60}/g, 'sk-spillway-…')
    .replaceAll(bench.data, 'DATA')
  return [
    ...(shown === '' ? [] : shown.split('\n').map((each) => each.trimEnd())),
    ...(code === 0 ? [] : [`= ${code}`]),
  ]
}

function words(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
}
