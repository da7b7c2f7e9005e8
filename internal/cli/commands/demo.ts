import { Argument, type Command } from 'commander'
import { type Cli, leaf } from '../command.ts'
import { exitCodes } from '../exit.ts'
import { type DemoStory, demoStories } from '../port.ts'
import { takeOver } from '../view/fullscreen.ts'

/** `demo`: the main job on this machine alone, without an account. */
export function demoCommand(program: Command, cli: Cli): void {
  const { io } = cli
  const isTerminal = io.stdout.isTTY === true && io.env.TERM !== 'dumb'
  leaf(program, 'demo', 'see a failover, an exhaustion and a recovery in a minute, without an account')
    .addArgument(new Argument('[story]', 'failover, or storm: jobs against a revoked key').choices(demoStories))
    .action(async (story: DemoStory | undefined) => {
      if (!(await io.port.demo(story ?? 'failover', isTerminal ? () => takeOver(io.stdout) : null)))
        cli.end(exitCodes.failed)
    })
}
