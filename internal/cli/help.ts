import type { Command } from 'commander'
import { completeCommand } from './completion.ts'
import { examples } from './examples.ts'
import type { Screen } from './screen.ts'

/** The headings of the help, with the commands below each. */
const headings: readonly (readonly [string, readonly string[]])[] = [
  ['Start:', ['init', 'serve', 'connect', 'env', 'service', 'demo']],
  ['Look:', ['status', 'check', 'doctor', 'logs', 'config', 'statusline', 'audit', 'usage']],
  [
    'Credentials and pools:',
    ['cred', 'pool', 'key', 'token', 'apply', 'export', 'backup', 'restore', 'store', 'master-key', 'notices'],
  ],
  ['Jobs:', ['run', 'guard']],
]

/** What people type for something that has another name here. */
const otherNames: Readonly<Record<string, string>> = {
  start: 'spillway serve runs the proxy; spillway service install has the system run it',
  up: 'spillway serve runs the proxy; spillway service install has the system run it',
  daemon: 'spillway serve runs the proxy; spillway service install has the system run it',
  stop: 'a proxy in a terminal ends with Ctrl-C; spillway service uninstall ends what the system runs',
  login: 'spillway cred login NAME',
  add: 'spillway cred add NAME --provider P, then spillway pool add POOL NAME',
  log: 'spillway logs says where they are; spillway audit list shows what happened',
  '--port': '--listen HOST:PORT',
  '--host': '--listen HOST:PORT',
}

/** Words that people use for one another: whoever types one may mean a command that is called by another. */
const synonyms: readonly (readonly string[])[] = [
  ['remove', 'rm', 'delete', 'del', 'drop', 'destroy', 'revoke', 'forget', 'uninstall', 'erase'],
  ['create', 'add', 'new', 'make', 'register', 'init', 'install', 'import'],
  ['list', 'ls', 'all', 'show', 'get', 'info', 'describe', 'status', 'view', 'print'],
  ['set', 'update', 'edit', 'change', 'modify', 'configure', 'config', 'tune'],
  ['rotate', 'switch', 'next', 'failover', 'use', 'activate', 'replace', 'renew', 'refresh'],
  ['park', 'pause', 'suspend', 'hold', 'disable', 'off', 'stop', 'deactivate'],
  ['unpark', 'resume', 'enable', 'on', 'unpause', 'activate'],
  ['clear', 'reset', 'unblock', 'retry'],
  ['test', 'check', 'verify', 'validate', 'ping', 'probe', 'doctor'],
  ['login', 'auth', 'signin', 'authenticate'],
  ['reorder', 'order', 'sort', 'move', 'position'],
  ['explain', 'why', 'reason'],
  ['logs', 'tail', 'journal'],
  ['run', 'exec', 'execute'],
  ['cred', 'credential', 'credentials', 'creds', 'account', 'accounts', 'provider'],
  ['key', 'keys', 'token', 'tokens'],
  ['pool', 'pools', 'group', 'groups'],
  ['audit', 'history', 'events', 'trail'],
  ['notices', 'notify', 'notifications', 'alerts', 'telegram', 'webhook'],
]

/** The commands below `parent` that the word may mean, a line each with what they do; null for none. */
function meant(parent: Command, word: string): string | null {
  const same = new Set(synonyms.filter((words) => words.includes(word.toLowerCase())).flat())
  const found = parent.commands.filter((one) => same.has(one.name()))
  if (found.length === 0) return null
  const lines = found.map((one) => `spillway ${pathOf(one)}: ${one.description()}`)
  return [found.length === 1 ? 'did you mean this?' : 'did you mean one of these?', ...lines].join('\n')
}

/** Gives every command below `program` its heading, its examples, and errors that name its own help. */
export function polish(program: Command, screen: Screen): void {
  program.configureHelp({
    visibleCommands: (command) => command.commands.filter((one) => one.name() !== completeCommand),
  })
  for (const command of program.commands) {
    const [heading = 'Other:'] = headings.find(([, names]) => names.includes(command.name())) ?? []
    command.helpGroup(heading)
  }
  explain(program, screen)
}

function explain(command: Command, screen: Screen): void {
  const path = pathOf(command)
  command.configureOutput({ outputError: (text) => complain(screen, text, command) })
  const own = examples[path] ?? []
  const lines = own.map((example) => `  spillway ${example}`)
  if (lines.length > 0)
    command.addHelpText('after', `\n${lines.length === 1 ? 'Example' : 'Examples'}:\n${lines.join('\n')}`)
  for (const inner of command.commands) explain(inner, screen)
}

/** The words that name a command, without the program's own. */
export function pathOf(command: Command): string {
  if (!command.parent) return ''
  return [pathOf(command.parent), command.name()].filter((word) => word !== '').join(' ')
}

/** Commander's own sentence about the usage, said as we say things: `unknown option '--jsn'`, then the hint. */
function complain(screen: Screen, text: string, command: Command): void {
  const [message = '', near] = text
    .trim()
    .replace(/^error: /, '')
    .split('\n')
  const [, unknown = ''] = /^unknown (?:command|option) '([^']+)'/.exec(message) ?? []
  const known = Object.hasOwn(otherNames, unknown) ? otherNames[unknown] : undefined
  const isCommand = message.startsWith('unknown command')
  const hint =
    known ??
    (isCommand ? meant(command, unknown) : null) ??
    near?.replace(/^\((.*)\)$/, '$1').replace(/^Did/, 'did') ??
    usageOf(command)
  screen.complain(message, hint)
}

function usageOf(command: Command): string {
  const name = ['spillway', pathOf(command)].filter((word) => word !== '').join(' ')
  return `usage: ${name} ${command.usage()}\n${name} --help shows more`
}

/** The command that these words name, or null when there is none. */
export function commandAt(program: Command, words: readonly string[]): Command | null {
  let at: Command | undefined = program
  for (const word of words) at = at?.commands.find((one) => one.name() === word)
  return at ?? null
}
