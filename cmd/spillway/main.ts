#!/usr/bin/env node
import { statSync } from 'node:fs'
import { refusalOf } from '#supported'

const { stdin, stdout, stderr, env } = process
const refusal = refusalOf(process.versions)
if (refusal !== null) {
  stderr.write(`${refusal}\n`)
  process.exit(1)
}
const unwritten: Error[] = []
stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Whoever reads the output may have had enough: `spillway audit export | head`.
  if (error.code === 'EPIPE') process.exit(0)
  unwritten.push(error)
})
// Loaded only now: a Node that is too old cannot read all of it.
const { runCli, programPort } = await program()
const code = await runCli(process.argv.slice(2), {
  stdin,
  stdout,
  stderr,
  env,
  cwd: process.cwd(),
  port: programPort(env),
  onStop(listener) {
    const interrupted = () => listener(130)
    const terminated = () => listener(143)
    process.on('SIGINT', interrupted).on('SIGTERM', terminated)
    return () => process.off('SIGINT', interrupted).off('SIGTERM', terminated)
  },
})
await new Promise((written) => stdout.write('', written))
for (const { message } of unwritten.slice(0, 1))
  stderr.write(`spillway: error: the result was not written: ${message}\n`)
process.exit(unwritten.length === 0 ? code : code || 1)

/** The program: from its bundle, where the build has left one and nothing has been compiled since. */
function program(): Promise<typeof import('./program.ts')> {
  const bundle = new URL('../../bundle/program.js', import.meta.url)
  const compiled = new URL('../../.tsbuildinfo', import.meta.url)
  const isBundled = modified(bundle) > modified(compiled)
  return isBundled ? import(bundle.href) : import('./program.ts')
}

/** When a file was written; 0 when there is none. */
function modified(file: URL): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
