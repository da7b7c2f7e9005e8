#!/usr/bin/env bash
# @anthropic-ai/sdk sends the same `apiKey` in another header since 1.0: 0.137.0 and before as `x-api-key`, 1.14.0 as
# `Authorization: Bearer`, which used to be the sign of a login's `authToken`. Whoever tells a key from a login by the header
# (a gateway, a log filter that blanks x-api-key) is wrong after an update of the client alone. Seen 30 November 2026.
# Fails when that changes.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
cat >ask.mjs <<'JS'
import { createServer } from 'node:http'
import Anthropic from '@anthropic-ai/sdk'

const headers = []
const server = createServer((request, response) => {
  headers.push(['x-api-key', 'authorization'].filter((name) => request.headers[name]).map((name) => `${name}: ${request.headers[name]}`))
  const usage = { input_tokens: 1, output_tokens: 1 }
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: 'end_turn', usage }
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(message))
})
await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
const baseURL = `http://127.0.0.1:${server.address().port}`
const prompt = { model: 'm', max_tokens: 1, messages: [{ role: 'user', content: 'hello' }] }
await new Anthropic({ baseURL, apiKey: 'key' }).messages.create(prompt)
console.log(headers.flat().join(', '))
server.closeAllConnections()
server.close()
JS
failed=0
for seen in '0.137.0=x-api-key: key' '1.14.0=authorization: Bearer key'; do
  version=${seen%%=*}
  mkdir "$version"
  cp ask.mjs "$version"
  (cd "$version" && npm init -y >/dev/null && npm install --ignore-scripts --no-audit --no-fund --loglevel=error "@anthropic-ai/sdk@$version" >/dev/null)
  now=$(cd "$version" && env -i PATH="$PATH" node ask.mjs)
  [ "$now" = "${seen#*=}" ] && echo "as before: $version: $now" || { echo "CHANGED: $version: $now"; failed=1; }
done
exit $failed
