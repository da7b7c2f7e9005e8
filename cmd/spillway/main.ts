#!/usr/bin/env node
import { programPort } from '../../internal/app/app.ts'
import { runCli } from '../../internal/cli/cli.ts'

const { stdin, stdout, stderr, env } = process
// Whoever reads the output may have had enough: `spillway audit export | head`.
stdout.on('error', () => process.exit(0))
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
