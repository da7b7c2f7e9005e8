import { isAbsolute, resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { parseDuration } from '../config/schema/units.ts'
import type { Ops } from '../ops/ops.ts'
import type { CliIo, Where } from './port.ts'
import type { Screen } from './screen.ts'

/** What every command works with. */
export interface Cli {
  readonly io: CliIo
  readonly screen: Screen
  /** Calls `use` with the verbs of the installation that the command's flags name, and closes it afterwards. */
  withOps<T>(command: Command, use: (ops: Ops) => Promise<T>): Promise<T>
  /** The exit code of a run that found what it was asked about: 0 unless a command says otherwise. */
  end(code: number): void
}

/** A command under `parent` that does something; the global flags are understood behind it, too. */
export function leaf(parent: Command, usage: string, description: string): Command {
  return parent
    .command(usage)
    .description(description)
    .addOption(new Option('--data <dir>').hideHelp())
    .addOption(new Option('--config <file>').hideHelp())
}

/** Adds `--json`, which every listing has. */
export function listing(command: Command): Command {
  return command.option('--json', 'print JSON')
}

/** The installation that the flags name. */
export function whereOf(command: Command, cwd: string): Where {
  const { data, config } = command.optsWithGlobals<{ data?: string; config?: string }>()
  return {
    data: data === undefined ? null : absolute(data, cwd),
    config: config === undefined ? null : absolute(config, cwd),
  }
}

/** The path as seen from the caller's directory. */
export function absolute(path: string, cwd: string): string {
  return isAbsolute(path) ? path : resolve(cwd, path)
}

/** Reads a flag's value as a length of time; commander reports what is none. */
export function duration(text: string): number {
  const ms = parseDuration(text)
  if (ms === null) throw new InvalidArgumentError('Expected a time such as 90s, 5m or 1h30m.')
  return ms
}

/** Reads a flag's value as a whole number of at least 1. */
export function ordinal(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('Expected a whole number from 1.')
  return Number(text)
}

/** Reads a flag's value as a comma-separated list of names. */
export function names(text: string): string[] {
  const all = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  if (all.length === 0) throw new InvalidArgumentError('Expected one or more names, separated by commas.')
  return all
}
