#!/usr/bin/env bash
# Gemini CLI 0.61.0 and comments in an event stream: a line that starts with a colon, which the format of server-sent events
# has for keeping a connection alive, makes it lose the answer that follows. The same stream without that line is printed. A
# gateway that sends comments while a model thinks (several do) breaks this client only. Seen 30 November 2026. Fails when
# that changes.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
npm init -y >/dev/null
npm install --ignore-scripts --no-audit --no-fund --loglevel=error @google/gemini-cli@0.61.0 >/dev/null
cat >ask.mjs <<'JS'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'

/** What Gemini CLI prints for a stream that begins with these bytes, and how often it asks. */
async function printed(beginning) {
  let count = 0
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      count++
      const content = { role: 'model', parts: [{ text: 'the whole answer' }] }
      const answer = { candidates: [{ content, finishReason: 'STOP', index: 0 }], usageMetadata: { totalTokenCount: 2 } }
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(`${beginning}data: ${JSON.stringify(answer)}\n\n`)
    })
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  const home = mkdtempSync(`${process.cwd()}/home-`)
  mkdirSync(`${home}/.gemini`)
  writeFileSync(`${home}/.gemini/settings.json`, JSON.stringify({ security: { auth: { selectedType: 'gemini-api-key' } } }))
  const origin = `http://127.0.0.1:${server.address().port}`
  const sink = 'http://127.0.0.1:9'
  const env = { PATH: process.env.PATH, HOME: home, HTTPS_PROXY: sink, HTTP_PROXY: sink, NO_PROXY: '127.0.0.1' }
  Object.assign(env, { GEMINI_API_KEY: 'none', GOOGLE_GEMINI_BASE_URL: origin, GEMINI_CLI_NO_RELAUNCH: 'true' })
  const words = ['node_modules/@google/gemini-cli/bundle/gemini.js', '-p', 'Say hello.', '-m', 'gemini-2.5-pro', '--skip-trust']
  const child = spawn(process.execPath, words, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 40_000 })
  let said = ''
  child.stdout.on('data', (bytes) => { said += bytes })
  const code = await new Promise((over) => child.on('close', over))
  server.closeAllConnections()
  server.close()
  return { code, count, isPrinted: said.includes('the whole answer') }
}

const plain = await printed('')
const commented = await printed(': keep-alive\n\n')
console.log('plain:', plain, 'with a comment first:', commented)
process.exit(plain.isPrinted && !commented.isPrinted ? 0 : 1)
JS
node ask.mjs
