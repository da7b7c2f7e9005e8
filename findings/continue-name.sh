#!/usr/bin/env bash
# Continue (@continuedev/cli 1.5.47) calls itself `ls/JS 5.23.2`: its bundled OpenAI SDK builds the User-Agent from
# `this.constructor.name`, and the minifier has renamed that class. Who tells clients apart by `OpenAI/JS` does not know
# it, and the next build may have other letters. Seen 30 November 2026. Fails when that changes.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
npm init -y >/dev/null
npm install --ignore-scripts --no-audit --no-fund --loglevel=error @continuedev/cli@1.5.47
cat >ask.mjs <<'JS'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'

let name
const server = createServer((request, response) => {
  name ??= request.headers['user-agent']
  const error = { type: 'insufficient_quota', code: 'insufficient_quota', message: 'quota exceeded' }
  response.writeHead(402, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
})
await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
const apiBase = `http://127.0.0.1:${server.address().port}/v1`
const model = { name: 'fake', provider: 'openai', model: 'fake', apiBase, apiKey: 'none', roles: ['chat'] }
writeFileSync('config.yaml', JSON.stringify({ name: 'fake', version: '1.0.0', schema: 'v1', models: [model] }))
const sink = 'http://127.0.0.1:9'
const env = { PATH: process.env.PATH, HOME: process.cwd(), HTTPS_PROXY: sink, HTTP_PROXY: sink, NO_PROXY: '127.0.0.1' }
Object.assign(env, { CONTINUE_TELEMETRY_ENABLED: '0' })
const args = ['node_modules/@continuedev/cli/dist/cn.js', '-p', 'Say hello.', '--config', 'config.yaml']
const child = spawn(process.execPath, args, { env, stdio: 'ignore', timeout: 60_000 })
await new Promise((over) => child.on('close', over))
server.closeAllConnections()
server.close()
console.log(`User-Agent: ${name}`)
process.exit(name === 'ls/JS 5.23.2' ? 0 : 1)
JS
node ask.mjs
