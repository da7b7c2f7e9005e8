import { type Command, Option } from 'commander'
import { Refusal } from '../../ops/client.ts'
import type { Scope } from '../../service/service.ts'
import { type Cli, leaf, listing, whereOf } from '../command.ts'
import { exitCodes } from '../exit.ts'

/** `service …`: the program under systemd or launchd; and `logs`, which the service manager keeps. */
export function serviceCommands(program: Command, cli: Cli): void {
  const { screen, io } = cli
  const service = program.command('service').description('run it in the background: a systemd unit, or a launchd agent')
  const scoped = (usage: string, about: string) =>
    leaf(service, usage, about)
      .addOption(new Option('--user', 'of the user who types it (default)').conflicts('system'))
      .option('--system', 'of the machine, with an account of its own')
  const at = (options: Scoped, command: Command) => io.port.service(whereOf(command, io.cwd), scopeOf(options))

  scoped('install', 'write the unit, start it, and have it started from now on')
    .option('--dry-run', 'print the unit and do nothing')
    .action(async (options: Scoped & { dryRun?: true }, command: Command) => {
      const { unit, install } = await at(options, command)
      if (options.dryRun) {
        screen.note(`would be ${unit.path}`)
        return screen.print(unit.text.trimEnd())
      }
      for (const line of install()) screen.print(line)
      screen.note('hint: spillway service status; spillway logs --follow')
    })
  scoped('uninstall', 'stop it and remove the unit; what is stored stays').action(
    async (options: Scoped, command: Command) => {
      const found = await at(options, command)
      if (!found.installed) return screen.print('spillway is no service here')
      for (const line of found.uninstall()) screen.print(line)
    },
  )
  listing(scoped('status', 'whether it runs as a service; exit 1 when it does not run, 3 when there is none')).action(
    async (options: Scoped & { json?: true }, command: Command) => {
      const found = await at(options, command)
      const { active, said } = found.installed ? found.state() : { active: false, said: 'not installed' }
      cli.end(active ? exitCodes.done : found.installed ? exitCodes.failed : exitCodes.notFound)
      if (options.json) return screen.json({ installed: found.installed, active, state: said, unit: found.unit.path })
      screen.print(`spillway is ${said}${found.installed ? ` (${found.unit.path})` : ': spillway service install'}`)
    },
  )
  logs(program, cli)
}

interface Scoped {
  readonly user?: true
  readonly system?: true
}

function scopeOf({ system }: Scoped): Scope {
  return system ? 'system' : 'user'
}

function logs(program: Command, cli: Cli): void {
  const { io, screen } = cli
  leaf(program, 'logs', 'the log of the service, or where it is without one')
    .option('--follow', 'go on with what is written from now on')
    .action(async (options: { follow?: true }, command: Command) => {
      const where = whereOf(command, io.cwd)
      for (const scope of ['user', 'system'] as const) {
        const found = await io.port.service(where, scope).catch(unlessRefused)
        if (found?.installed) return cli.end(await io.port.exec(found.logs(options.follow === true)))
      }
      const sentence = 'there is no service here: the log is what spillway serve writes to stderr, where it was started'
      if (options.follow) throw new Refusal('not-found', sentence, 'spillway service install; spillway status --watch')
      screen.print(`${sentence}; spillway audit list shows what has happened`)
    })
}

/** null for a machine that has no services of this kind; anything else is no answer. */
function unlessRefused(error: unknown): null {
  if (error instanceof Refusal) return null
  throw error
}
