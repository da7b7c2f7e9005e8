import { homedir } from 'node:os'
import { createInterface } from 'node:readline'
import { Argument, type Command } from 'commander'
import { phrasedHint, Refusal, tools } from '../../ops/client.ts'
import type { ImportShape, LoginShape, Ops } from '../../ops/ops.ts'
import { absolute, type Cli, leaf, listing } from '../command.ts'
import { identityText, sourceText } from '../credview.ts'
import { readSecret } from '../secret.ts'
import { localTime } from '../when.ts'
import { checked, replaced } from './checking.ts'

/** `cred import` and `cred login`: logins of subscriptions, and new keys in the place of old ones. */
export function loginCommands(cred: Command, cli: Cli): void {
  importing(cred, cli)
  leaf(cred, 'login <name>', 'log in anew; for a key, a new one is read from stdin')
    .option('--no-check', 'do not ask the upstream whether it accepts a new key')
    .action(async (name: string, options: { check: boolean }, command: Command) => {
      const { auth, source } = await cli.withOps(command, (ops) => ops.credShow({ name }))
      if (auth === 'oauth') return cli.withOps(command, (ops) => login(cli, ops, name))
      if (source.kind !== 'vault' && !('kept' in source && source.kept))
        throw new Refusal(
          'conflict',
          `the key of ${name} comes from ${sourceText(source)}`,
          `change it there, or give it another: spillway cred replace ${name}`,
        )
      // Nobody should hold the lock while a person types.
      const secret = await readSecret(cli.io, `new secret of ${name}: `)
      await replaced(cli, command, { name, options, from: { secret } })
    })
}

interface ImportOptions {
  readonly path?: string
  readonly name?: string
  readonly copy?: true
  readonly tokenUrl?: string
  readonly check: boolean
  readonly json?: true
}

function importing(cred: Command, cli: Cli): void {
  const { io, screen } = cli
  listing(leaf(cred, 'import', "share the login of a tool's file; both keep it fresh"))
    .addArgument(new Argument('<tool>', 'whose login').choices(tools))
    .option('--path <file>', 'its file (default: where the tool keeps it)')
    .option('--name <name>', "what it is called here (default: the tool's name)")
    .option('--copy', 'take the tokens into the vault instead of sharing the file')
    .option('--token-url <url>', 'where they are refreshed, instead of where the tool does')
    .option('--no-check', 'do not ask the upstream whether it accepts it')
    .action((tool: string, options: ImportOptions, command: Command) =>
      cli.withOps(command, async (ops) => {
        const { path, name, copy, tokenUrl } = options
        const { CODEX_HOME, CLAUDE_CONFIG_DIR, HOME } = io.env
        const made = await ops.credImport({
          tool,
          home: absolute(HOME || homedir(), io.cwd),
          ...(CODEX_HOME ? { codexHome: absolute(CODEX_HOME, io.cwd) } : {}),
          ...(CLAUDE_CONFIG_DIR ? { claudeConfigDir: absolute(CLAUDE_CONFIG_DIR, io.cwd) } : {}),
          ...(path === undefined ? {} : { path: absolute(path, io.cwd) }),
          ...(name === undefined ? {} : { name }),
          ...(copy ? { copy } : {}),
          ...(tokenUrl === undefined ? {} : { tokenUrl }),
        })
        const { identity, problem } = await ops.credShow({ name: made.name })
        if (options.json) screen.json({ ...made, identity })
        else screen.print(importText(made, identityText(identity)))
        for (const warning of made.warnings) screen.note(`warning: ${warning}`)
        const once = { check: options.check && made.changed }
        await checked(cli, ops, { name: made.name, options: once, problem })
      }),
    )
}

function importText({ name, path, provider, kept, changed }: ImportShape, identity: string | null): string {
  const whose = identity === null ? '' : `, the login of ${identity}`
  if (!changed) return `${name} shares ${path} already${whose}`
  return `imported ${name} (${provider}): ${kept === 'shared' ? 'shares' : 'has a copy of'} ${path}${whose}`
}

/** Shows a person where to agree, and waits until that is done. */
export async function login(cli: Cli, ops: Ops, name: string): Promise<void> {
  const begun = await ops.credLogin({ name })
  const { flow } = begun
  cli.screen.note(promptText(begun, cli.io.port.now()))
  const lines = createInterface({ input: cli.io.stdin })
  let failed: unknown = null
  lines.on('line', (line) => {
    if (line.trim() === '') return
    ops.credLoginPaste({ name, flow, address: line }).catch((error: unknown) => {
      // What was pasted by mistake went nowhere, and the login goes on.
      if (error instanceof Refusal && error.code === 'invalid')
        cli.screen.complain(error.message, phrasedHint(error.hint))
      else failed = error
    })
  })
  try {
    let state = 'waiting'
    while (state === 'waiting' && failed === null) ({ state } = await ops.credLoginWait({ name, flow }))
    if (failed !== null) throw failed
  } finally {
    lines.close()
  }
  const identity = identityText((await ops.credShow({ name })).identity)
  cli.screen.print(`${name} is logged in${identity === null ? '' : ` as ${identity}`}`)
}

function promptText({ name, kind, url, code, until }: LoginShape, now: number): string {
  const last = `the login of ${name} waits until ${localTime(until, now)}`
  if (kind === 'device') return `open ${url}\nand enter the code ${code}\n${last}`
  return `open ${url}\nif the browser is on another machine, paste the address that it ends at here\n${last}`
}
