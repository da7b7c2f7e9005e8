#!/usr/bin/env bash
# Gemini CLI 0.61.0 takes the authentication `gateway` as soon as GOOGLE_GEMINI_BASE_URL is set, and then refuses that choice
# of its own: without a settings file and without a terminal it ends with "Invalid auth method selected." and asks nothing,
# although GEMINI_API_KEY is there. One line of settings (`security.auth.selectedType`) makes the same call work. Seen
# 30 November 2026. Fails when that changes.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
npm init -y >/dev/null
npm install --ignore-scripts --no-audit --no-fund --loglevel=error @google/gemini-cli@0.61.0
cat >ask.mjs <<'JS'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'

/** What Gemini CLI says, and how often it asks, for one prompt in a home with these settings. */
async function asked(settings) {
  let count = 0
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      count++
      const content = { role: 'model', parts: [{ text: 'hello' }] }
      const answer = { candidates: [{ content, finishReason: 'STOP', index: 0 }], usageMetadata: { totalTokenCount: 2 } }
      const isStream = request.url.includes('streamGenerateContent')
      response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' })
      response.end(isStream ? `data: ${JSON.stringify(answer)}\n\n` : JSON.stringify(answer))
    })
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  const home = mkdtempSync(`${process.cwd()}/home-`)
  if (settings) {
    mkdirSync(`${home}/.gemini`)
    writeFileSync(`${home}/.gemini/settings.json`, JSON.stringify(settings))
  }
  const origin = `http://127.0.0.1:${server.address().port}`
  const sink = 'http://127.0.0.1:9'
  const env = { PATH: process.env.PATH, HOME: home, HTTPS_PROXY: sink, HTTP_PROXY: sink, NO_PROXY: '127.0.0.1' }
  Object.assign(env, { GEMINI_API_KEY: 'none', GOOGLE_GEMINI_BASE_URL: origin, GEMINI_CLI_NO_RELAUNCH: 'true' })
  const program = 'node_modules/@google/gemini-cli/bundle/gemini.js'
  const words = [program, '-p', 'Say hello.', '-m', 'gemini-2.5-pro', '--skip-trust']
  const child = spawn(process.execPath, words, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => { said += bytes })
  const code = await new Promise((over) => child.on('close', over))
  server.closeAllConnections()
  server.close()
  return { code, count, isRefused: said.includes('Invalid auth method selected') }
}

const bare = await asked(null)
const told = await asked({ security: { auth: { selectedType: 'gemini-api-key' } } })
console.log('without settings:', bare, 'with one line:', told)
process.exit(bare.isRefused && bare.count === 0 && bare.code !== 0 && !told.isRefused && told.count > 0 ? 0 : 1)
JS
node ask.mjs
