#!/usr/bin/env node
import { refusalOf } from '#supported'

const { stdin, stdout, stderr, env } = process
const refusal = refusalOf(process.versions)
if (refusal !== null) {
  stderr.write(`${refusal}\n`)
  process.exit(1)
}
// Whoever reads the output may have had enough: `spillway audit export | head`.
stdout.on('error', () => process.exit(0))
// Loaded only now: a Node that is too old cannot read all of it.
const { runCli } = await import('../../internal/cli/cli.ts')
const { programPort } = await import('../../internal/app/app.ts')
const code = await runCli(process.argv.slice(2), {
  stdin,
  stdout,
  stderr,
  env,
  cwd: process.cwd(),
  port: programPort(env),
})
await new Promise((written) => stdout.write('', written))
process.exit(code)
