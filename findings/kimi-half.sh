#!/usr/bin/env bash
# Kimi Code 2.1.0 takes a chat stream that simply ends, without a finish_reason and without [DONE], for the whole answer: it
# prints half the text, asks nothing again and ends with 0, as it does for a complete one. A proxy that closes a broken
# stream in order, rather than resetting the connection, makes a job that failed look done. Run with Node 24.22.3, as Kimi Code
# needs 22. Seen 30 November 2026. Fails when that changes.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
npm init -y >/dev/null
node=node-$(node -p '`${process.platform}-${process.arch}`')
npm install --ignore-scripts --no-audit --no-fund --loglevel=error @moonshot-ai/kimi-code@2.1.0 "$node@24.22.3" >/dev/null
cat >ask.mjs <<'JS'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'

const event = (delta, finish_reason = null) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'fake', choices: [{ index: 0, delta, finish_reason }] })}\n\n`

/** What Kimi Code does with a stream that has this behind its first half. */
async function asked(rest) {
  let count = 0
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      count++
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(event({ role: 'assistant', content: 'the first half' }) + rest)
    })
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  const home = mkdtempSync(`${process.cwd()}/home-`)
  mkdirSync(`${home}/.kimi-code`)
  const provider = `type = "openai"\nbase_url = "http://127.0.0.1:${server.address().port}/v1"\napi_key = "none"\n`
  const model = 'provider = "fake"\nmodel = "fake"\nmax_context_size = 100000\n'
  writeFileSync(`${home}/.kimi-code/config.toml`, `default_model = "fake"\n[providers.fake]\n${provider}[models.fake]\n${model}`)
  const sink = 'http://127.0.0.1:9'
  const env = { PATH: process.env.PATH, HOME: home, HTTPS_PROXY: sink, HTTP_PROXY: sink, NO_PROXY: '127.0.0.1' }
  const words = ['node_modules/@moonshot-ai/kimi-code/dist/main.mjs', '-p', 'Say hello.']
  const child = spawn(process.execPath, words, { env, stdio: ['ignore', 'pipe', 'ignore'], timeout: 60_000 })
  let said = ''
  child.stdout.on('data', (bytes) => { said += bytes })
  const code = await new Promise((over) => child.on('close', over))
  server.closeAllConnections()
  server.close()
  return { code, count, said: said.trim() }
}

const whole = await asked(`${event({ content: ' and the rest' })}${event({}, 'stop')}data: [DONE]\n\n`)
const half = await asked('')
console.log('complete:', whole, 'ended early:', half)
const isAsSeen = whole.said.endsWith('and the rest') && half.said.endsWith('the first half') && half.code === 0 && half.count === 1
process.exit(isAsSeen ? 0 : 1)
JS
"node_modules/$node/bin/node" ask.mjs
