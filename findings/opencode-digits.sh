#!/usr/bin/env bash
# opencode 1.18.33 decides by digits whether an error passes: a 402 is final, and the same 402 is asked again when 429,
# 500, 502, 503, 504 or 524 stand anywhere in its body, be it inside a name or an epoch. Whether `resets_at` makes an
# agent hammer is therefore a matter of the hour. Seen 30 November 2026: 2 requests (prompt and title) for `key-501`,
# 3 or more for `key-500`. Fails when that changes.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
npm init -y >/dev/null
npm install --ignore-scripts --no-audit --no-fund --loglevel=error opencode-ai@1.18.33
cat >ask.mjs <<'JS'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'

/** How often opencode asks within 60 s for one prompt that is answered 402 because of a member of this name. */
async function requests(member) {
  let count = 0
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      if (request.method === 'POST') count++
      const error = { type: 'insufficient_quota', code: 'insufficient_quota', message: `quota exceeded (${member})` }
      response.writeHead(402, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
    })
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  const home = mkdtempSync(`${process.cwd()}/home-`)
  mkdirSync(`${home}/.config/opencode`, { recursive: true })
  const options = { baseURL: `http://127.0.0.1:${server.address().port}/v1`, apiKey: 'none' }
  const provider = { npm: '@ai-sdk/openai-compatible', name: 'fake', options, models: { fake: { name: 'fake' } } }
  writeFileSync(`${home}/.config/opencode/opencode.json`, JSON.stringify({ autoupdate: false, provider: { fake: provider } }))
  const sink = 'http://127.0.0.1:9'
  const env = { PATH: process.env.PATH, HOME: home, HTTPS_PROXY: sink, HTTP_PROXY: sink, NO_PROXY: '127.0.0.1' }
  Object.assign(env, { OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_MODELS_FETCH: '1' })
  const program = `node_modules/opencode-${process.platform}-${process.arch}/bin/opencode`
  const child = spawn(program, ['run', '--model', 'fake/fake', 'Say hello.'], { env, stdio: 'ignore', timeout: 60_000 })
  await new Promise((over) => child.on('close', over))
  server.closeAllConnections()
  server.close()
  return count
}

const [final, again] = [await requests('key-501'), await requests('key-500')]
console.log(`402 about key-501: ${final} requests; 402 about key-500: ${again} requests`)
process.exit(final === 2 && again > 2 ? 0 : 1)
JS
node ask.mjs
