import type { Command } from 'commander'
import { providers, shapes, strategies } from '../ops/client.ts'
import type { Ops } from '../ops/ops.ts'
import { shells } from './quoting.ts'

export const completionShells = ['bash', 'zsh', 'fish'] as const
export type CompletionShell = (typeof completionShells)[number]

/** The hidden command that the scripts ask for candidates; the words typed so far follow it. */
export const completeCommand = '__complete'

/** A script that teaches the shell to complete the program's command line by asking the program. */
export function completionScript(shell: CompletionShell, name: string): string {
  switch (shell) {
    case 'bash':
      return `_${name}() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(${name} ${completeCommand} -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _${name} ${name}`
    case 'zsh':
      return `#compdef ${name}
_${name}() {
  local -a candidates
  candidates=("\${(@f)$(${name} ${completeCommand} -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${candidates[1]}" ]]; then compadd -a candidates; else _files; fi
}
compdef _${name} ${name}`
    case 'fish':
      return `function __${name}_complete
  set -l words (commandline -opc) (commandline -ct)
  ${name} ${completeCommand} -- $words[2..-1] 2>/dev/null
end
complete -c ${name} -f -a '(__${name}_complete)'
complete -c ${name} -F -n 'test (count (__${name}_complete)) -eq 0'`
  }
}

/** Where names of living things come from; empty when they cannot be had. */
export interface Names {
  pools(): Promise<readonly string[]>
  members(pool: string): Promise<readonly string[]>
  credentials(): Promise<readonly string[]>
  keys(): Promise<readonly string[]>
  /** What is guarded: budgets, and hot paths, and workers. */
  guarded(): Promise<{
    readonly budgets: readonly string[]
    readonly hotPaths: readonly string[]
    readonly workers: readonly string[]
  }>
}

/** The names as the verbs give them. */
export function namesFrom(withOps: <T>(use: (ops: Ops) => Promise<T>) => Promise<T>): Names {
  return {
    pools: () => withOps(async (ops) => (await ops.poolList({})).map(({ name }) => name)),
    members: (pool) => withOps(async (ops) => (await ops.poolStatus({ name: pool })).members.map(({ name }) => name)),
    credentials: () => withOps(async (ops) => (await ops.credList({})).map(({ name }) => name)),
    guarded: () =>
      withOps(async (ops) => {
        const { budgets, hotPaths, workers } = await ops.guardStatus({})
        const names = (all: readonly { readonly name: string }[]) => all.map(({ name }) => name)
        return { budgets: names(budgets), hotPaths: names(hotPaths), workers: names(workers) }
      }),
    keys: () => withOps(async (ops) => (await ops.keyList({})).map(({ name }) => name)),
  }
}

/** What may stand at the place of the last word, which may have been begun: commands, flags, values and names. */
export async function candidates(program: Command, words: readonly string[], names: Names): Promise<string[]> {
  const begun = words.at(-1) ?? ''
  const { command, positional, pending } = walk(program, words.slice(0, -1))
  const found = pending
    ? await valuesOf(pending, names)
    : begun.startsWith('-')
      ? flagsOf(command)
      : [...subcommandsOf(command), ...(await argumentsOf(command, positional, names))]
  return found.filter((candidate) => candidate.startsWith(begun))
}

interface Place {
  readonly command: Command
  /** The arguments given so far. */
  readonly positional: readonly string[]
  /** The long name of a flag that waits for its value. */
  readonly pending: string | null
}

function walk(program: Command, words: readonly string[]): Place {
  let command = program
  let positional: string[] = []
  let pending: string | null = null
  for (const word of words) {
    if (pending !== null) {
      pending = null
      continue
    }
    const option = optionsOf(command).find((one) => one.long === word || one.short === word)
    if (option) {
      pending = option.required && option.long ? option.long : null
      continue
    }
    const next = command.commands.find((one) => one.name() === word)
    if (next) {
      command = next
      positional = []
    } else if (!word.startsWith('-')) positional.push(word)
  }
  return { command, positional, pending }
}

function optionsOf(command: Command) {
  return command.parent ? [...command.options, ...root(command).options] : command.options
}

function root(command: Command): Command {
  return command.parent ? root(command.parent) : command
}

function subcommandsOf(command: Command): string[] {
  return command.commands.map((one) => one.name()).filter((name) => name !== completeCommand)
}

function flagsOf(command: Command): string[] {
  const own = optionsOf(command).filter(({ hidden }) => !hidden)
  return [...new Set([...own.map(({ long }) => long ?? ''), '--help'])].filter((flag) => flag !== '')
}

/** Completions of a flag's value; files are the shell's affair. */
async function valuesOf(flag: string, names: Names): Promise<readonly string[]> {
  switch (flag) {
    case '--provider':
      return providers
    case '--shape':
      return shapes
    case '--strategy':
      return strategies
    case '--shell':
      return shells
    case '--format':
      return ['jsonl']
    case '--pool':
    case '--pools':
      return names.pools()
    case '--members':
    case '--to':
      return names.credentials()
    case '--budget':
      return (await names.guarded()).budgets
    case '--hot-path':
      return (await names.guarded()).hotPaths
    case '--key':
      return names.keys()
    default:
      return []
  }
}

/** Completions of an argument, by what the command calls it. */
async function argumentsOf(command: Command, given: readonly string[], names: Names): Promise<readonly string[]> {
  const wanted = command.registeredArguments[given.length]
  const argument = wanted?.name()
  const group = command.parent?.name()
  if (wanted?.argChoices) return wanted.argChoices
  if (command.name() === 'create' || (group === 'cred' && command.name() === 'add')) return []
  if (command.name() === 'token') return [...(await names.pools()), ...(await names.credentials())]
  if (argument === 'pool' || (argument === 'name' && group === 'pool')) return names.pools()
  if (argument === 'name' && group === 'guard') {
    const { budgets, hotPaths, workers } = await names.guarded()
    if (command.name() === 'enforce') return budgets
    return command.name() === 'probe' || command.name() === 'recover' ? hotPaths : [...workers, ...hotPaths]
  }
  if (argument === 'name' && group === 'cred') return names.credentials()
  if (argument === 'name' && group === 'key') return names.keys()
  if (argument !== 'member') return []
  return command.name() === 'add' ? names.credentials() : names.members(given[0] ?? '')
}
