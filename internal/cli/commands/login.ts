import { homedir } from 'node:os'
import { createInterface } from 'node:readline'
import { Argument, type Command } from 'commander'
import { Refusal, tools } from '../../ops/client.ts'
import type { ImportShape, LoginShape, Ops } from '../../ops/ops.ts'
import { absolute, type Cli, leaf, listing } from '../command.ts'
import { sourceText } from '../credview.ts'
import { readSecret } from '../secret.ts'
import { localTime } from '../when.ts'

/** `cred import` and `cred login`: logins of subscriptions, and new keys in the place of old ones. */
export function loginCommands(cred: Command, cli: Cli): void {
  importing(cred, cli)
  leaf(cred, 'login <name>', 'log in anew; for a key, a new one is read from stdin').action(
    async (name: string, _options: object, command: Command) => {
      const { auth, source } = await cli.withOps(command, (ops) => ops.credShow({ name }))
      if (auth === 'oauth') return cli.withOps(command, (ops) => login(cli, ops, name))
      if (source.kind !== 'vault' && !('kept' in source && source.kept))
        throw new Refusal(
          'conflict',
          `the key of ${name} comes from ${sourceText(source)}`,
          `change it there, then: spillway cred enable ${name}`,
        )
      // Nobody should hold the lock while a person types.
      const secret = await readSecret(cli.io, `new secret of ${name}: `)
      await cli.withOps(command, (ops) => ops.credReplace({ name, secret }))
      cli.screen.print(`${name} has a new secret`)
    },
  )
}

interface ImportOptions {
  readonly path?: string
  readonly name?: string
  readonly copy?: true
  readonly tokenUrl?: string
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
        if (options.json) screen.json(made)
        else screen.print(importText(made))
        for (const warning of made.warnings) screen.note(`warning: ${warning}`)
      }),
    )
}

function importText({ name, path, provider, kept, changed }: ImportShape): string {
  if (!changed) return `${name} shares ${path} already`
  return `imported ${name} (${provider}): ${kept === 'shared' ? 'shares' : 'has a copy of'} ${path}`
}

/** Shows a person where to agree, and waits until that is done. */
async function login(cli: Cli, ops: Ops, name: string): Promise<void> {
  const begun = await ops.credLogin({ name })
  const { flow } = begun
  cli.screen.note(promptText(begun, cli.io.port.now()))
  const lines = createInterface({ input: cli.io.stdin })
  let failed: unknown = null
  lines.on('line', (line) => {
    if (line.trim() === '') return
    ops.credLoginPaste({ name, flow, address: line }).catch((error: unknown) => {
      failed = error
    })
  })
  try {
    let state = 'waiting'
    while (state === 'waiting' && failed === null) ({ state } = await ops.credLoginWait({ name, flow }))
    if (failed !== null) throw failed
  } finally {
    lines.close()
  }
  cli.screen.print(`${name} is logged in`)
}

function promptText({ name, kind, url, code, until }: LoginShape, now: number): string {
  const last = `the login of ${name} waits until ${localTime(until, now)}`
  if (kind === 'device') return `open ${url}\nand enter the code ${code}\n${last}`
  return `open ${url}\nif the browser is on another machine, paste the address that it ends at here\n${last}`
}
