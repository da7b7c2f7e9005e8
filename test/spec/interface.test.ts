import { Writable } from 'node:stream'
import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import type { Cli } from '../../internal/cli/command.ts'
import { exitCodes } from '../../internal/cli/exit.ts'
import { commandTree } from '../../internal/cli/tree.ts'
import { settings } from '../../internal/config/schema/schema.ts'
import { eventKinds } from '../../internal/events/events.ts'
import { createMetrics } from '../../internal/metrics/metrics.ts'
import { verbs } from '../../internal/ops/verbs.ts'
import { commands } from '../../internal/telegram/commands.ts'
import { headingsOf, textOf } from '../support/citations.ts'

const page = textOf('docs/interface.md')

/** The text below a heading, up to the next one of any level. */
function section(heading: string): string {
  expect(headingsOf(page)).toContain(heading)
  const [, text = ''] = new RegExp(`^#+ ${heading}\n([\\s\\S]*?)(?=^#|(?![\\s\\S]))`, 'm').exec(page) ?? []
  return text
}

function wordsIn(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, word = '']) => word))].sort()
}

/** A command with its flags, and whether it has `--json`. */
interface Typed {
  readonly words: string
  readonly flags: readonly string[]
  readonly json: boolean
}

/** The commands of the program that do something, but for the one that completion asks. */
function real(command: Command, before: readonly string[] = []): Typed[] {
  return command.commands.flatMap((each): Typed[] => {
    const words = [...before, each.name()]
    if (each.commands.length > 0) return real(each, words)
    const flags = each.options.filter(({ hidden }) => !hidden).map(({ long, short }) => short ?? long ?? '')
    const others = flags.filter((flag) => flag !== '--json').sort()
    return [{ words: words.join(' '), flags: others, json: flags.includes('--json') }]
  })
}

/** A line of the page: words, then what they take, then two spaces before what is said of it. */
function told(line: string): Typed {
  const [usage = ''] = line.split(/ {2,}/)
  const parts = usage.split(' ')
  const end = parts.findIndex((part) => !/^[a-z][a-z-]*$/.test(part))
  const words = parts.slice(0, end === -1 ? parts.length : end).join(' ')
  return { words, flags: wordsIn(usage, /(?<![\w-])(--?[a-z][a-z-]*)/g), json: usage.includes('†') }
}

/** The command lines that a document shows, in blocks, in backticks and in substitutions, from behind the program's name. */
function shownIn(text: string): string[] {
  const blocks = wordsIn(text, /^```sh\n([\s\S]*?)^```/gm).join('\n')
  const spans = wordsIn(text.replace(/^```[\s\S]*?^```/gm, ''), /`([^`]+)`/g).join('\n')
  return wordsIn(`${blocks}\n${spans}`, /(?:^|\$\()spillway ([a-z][^#)\n]*)/gm)
}

/** `a b c`, `a b`, `a`. */
function prefixes(words: string): string[] {
  const parts = words.split(' ')
  return parts.map((_, at) => parts.slice(0, parts.length - at).join(' '))
}

const sink = new Writable()
const io = { stdin: process.stdin, stdout: sink, stderr: sink, env: {}, cwd: '/', port: { version: '0' } }
const tree = await commandTree({ io, screen: { colour: false } } as unknown as Cli)

describe('docs/interface.md names all that there is, and nothing else:', () => {
  it('commands with their flags', () => {
    const block = section('Commands').split('```')[1] ?? ''
    const lines = block.trim().replace(/\n +/g, ' ').split('\n')
    const commands = real(tree).filter(({ words }) => !words.startsWith('__'))
    const byWords = (one: Typed, other: Typed) => (one.words < other.words ? -1 : 1)
    expect(lines.map(told).sort(byWords)).toEqual(commands.sort(byWords))
  })

  it.each([
    'README.md',
    'docs/connect.md',
    'docs/faults.md',
    'docs/failover.md',
    'docs/notices.md',
    'internal/guard/README.md',
  ])('commands of %s', (path) => {
    const commands = new Map(real(tree).map((each) => [each.words, each]))
    for (const line of shownIn(textOf(path))) {
      const { flags, words } = told(line)
      const command = prefixes(words).flatMap((each) => commands.get(each) ?? [])[0]
      const unknown = flags.filter((flag) => flag !== '--json' && !command?.flags.includes(flag))
      expect({ line, command: command?.words, unknown }).toEqual({ line, command: expect.any(String), unknown: [] })
    }
  })

  it('exit codes', () => {
    const named = wordsIn(section('Exit codes'), /^\| (\d+) \|/gm)
    expect(named).toEqual(Object.values(exitCodes).map(String).sort())
  })

  it('settings', () => {
    const keys = wordsIn(section('Configuration'), /^\| (`[^|]*`) \|/gm).join(' ')
    const named = wordsIn(keys, /`([\w.]+)`/g)
    expect(named).toEqual([...settings.keys()].sort())
  })

  it('routes of the admin API', () => {
    const named = wordsIn(section('Admin API'), /`((?:GET|POST|PUT|PATCH|DELETE) \/v1\/[^`]+)`/g)
    const real = Object.values(verbs).map(({ method, path }) => `${method} ${path}`)
    expect(named).toEqual([...real, 'GET /v1/events', 'POST /v1/verbs/:verb'].sort())
    const secret = Object.values(verbs)
      .filter((verb) => 'secret' in verb)
      .map(({ method, path }) => `${method} ${path}`)
    expect(wordsIn(section('Admin API'), /`((?:GET|POST) [^`]+)` ‡/g)).toEqual(secret.sort())
  })

  it('metrics', async () => {
    const named = wordsIn(section('Metrics'), /`(spillway_\w+)`/g)
    const view = { now: 0, pools: [], upstreams: [], diskFreeBytes: 0, fastPath: true }
    expect(named).toEqual(wordsIn(await createMetrics({ view: () => view }).render(), /^# TYPE (spillway_\w+)/gm))
  })

  it('kinds of audit rows', () => {
    const [, text = ''] = /\*\*Kinds of audit rows\*\*:([\s\S]*?)\n\n/.exec(page) ?? []
    expect(wordsIn(text, /`(\w+)`/g)).toEqual([...eventKinds].sort())
  })

  it('commands of the Telegram bot', () => {
    const named = wordsIn(section('Notices'), /`\/(\w+)[^`]*`/g)
    expect(named).toEqual(commands.map(({ name }) => name).sort())
  })
})
