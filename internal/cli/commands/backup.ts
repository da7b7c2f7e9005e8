import type { Command } from 'commander'
import { readableSize } from '../../config/schema/units.ts'
import { absolute, type Cli, leaf, listing, whereOf } from '../command.ts'
import { readPassphrase } from '../secret.ts'

interface Options {
  readonly passphraseFile?: string
}

/** `backup`, `restore` and `master-key`. */
export function backupCommands(program: Command, cli: Cli): void {
  const { io, screen } = cli
  const sealed = (usage: string, what: string) =>
    leaf(program, usage, what).option('--passphrase-file <path>', 'the passphrase is the first line of this file')
  const fileOf = ({ passphraseFile }: Options) =>
    passphraseFile === undefined ? null : absolute(passphraseFile, io.cwd)

  sealed(
    'backup <file>',
    'the store, the master key and the configuration as one file, sealed with a passphrase',
  ).action(async (file: string, options: Options, command: Command) => {
    const passphrase = () => readPassphrase(io, { file: fileOf(options), isNew: true })
    const { bytes, notes } = await io.port.backup(whereOf(command, io.cwd), {
      file: absolute(file, io.cwd),
      passphrase,
    })
    screen.print(`wrote ${file} (${readableSize(bytes)})`)
    for (const note of notes) screen.note(note)
  })
  sealed('restore <file>', 'make the data directory that a backup holds; none is overwritten').action(
    async (file: string, options: Options, command: Command) => {
      const where = whereOf(command, io.cwd)
      const passphrase = () => readPassphrase(io, { file: fileOf(options), isNew: false })
      await io.port.restore(where, { file: absolute(file, io.cwd), passphrase })
      screen.print(`restored ${io.port.data(where)}`)
      screen.note(
        'stop the spillway that the backup came from before you start this one: both would refresh the same logins',
      )
    },
  )
  const masterKey = program.command('master-key').description('the key that seals everything at rest')
  listing(leaf(masterKey, 'rotate', 'put a new master key in the place of the old one, while no daemon runs')).action(
    async (options: { json?: true }, command: Command) => {
      const done = await io.port.rotateMasterKey(whereOf(command, io.cwd))
      if (options.json) return screen.json(done)
      screen.print(
        `the master key is ${done.after} now, in place of ${done.before}; ${counted(done.resealed)} sealed anew`,
      )
      if (done.left > 0) screen.note(`${counted(done.left)} left, because the old key did not open them either`)
    },
  )
}

function counted(secrets: number): string {
  return secrets === 1 ? 'one secret was' : `${secrets} secrets were`
}
