// `npm run screens`: makes the pictures of the README: what the built program shows on a terminal of 80 columns, as SVG.
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { screenOf } from '../dist/internal/cli/screen.js'
import { printStatus } from '../dist/internal/cli/view/statusview.js'
import { limited, Upstream } from '../dist/internal/demo/upstream.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const program = join(root, 'dist/cmd/spillway/main.js')
const data = mkdtempSync(join(tmpdir(), 'spillway-screens-'))
const spillway = (args, input = '') =>
  execFileSync(process.execPath, [program, '--data', data, ...args], {
    input,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'ignore'],
  })

const inks = {
  1: 'font-weight="bold"',
  2: 'fill="#8b949e"',
  31: 'fill="#ff7b72"',
  32: 'fill="#7ee787"',
  33: 'fill="#e3b341"',
  36: 'fill="#79c0ff"',
}
const letter = { width: 8.4, height: 18 }

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

// biome-ignore lint/suspicious/noControlCharactersInRegex: a colour begins with one
const colour = /(\u001b\[\d+m)/

/** A line with its colours as the parts of a text element. */
function spans(line) {
  let ink = ''
  return line
    .split(colour)
    .map((part) => {
      const code = colour.test(part) ? part.slice(2, -1) : undefined
      if (code === undefined) return part === '' ? '' : `<tspan ${ink}>${escaped(part)}</tspan>`
      ink = inks[code] ?? ''
      return ''
    })
    .join('')
}

function svg(text) {
  const lines = text.trimEnd().split('\n')
  const width = Math.ceil(82 * letter.width)
  const height = (lines.length + 1) * letter.height + 10
  const rows = lines.map(
    (line, at) => `<text x="12" y="${(at + 1) * letter.height + 8}" xml:space="preserve">${spans(line)}</text>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="ui-monospace,Menlo,Consolas,monospace" font-size="14">
<title>spillway status</title>
<rect width="100%" height="100%" rx="6" fill="#0d1117"/><g fill="#e6edf3">
${rows.join('\n')}
</g></svg>
`
}

/** The status as a terminal of 80 columns shows it. */
function picture(name) {
  const status = JSON.parse(spillway(['status', '--json']))
  // Another address on each run would be another picture each time.
  status.origin = 'http://127.0.0.1:8460'
  let text = '$ spillway status\n'
  const stdout = {
    isTTY: true,
    columns: 80,
    write: (more) => {
      text += more
      return true
    },
  }
  printStatus(
    screenOf({ stdout, stderr: process.stderr, env: { LANG: 'C.UTF-8', TERM: 'xterm-256color' } }),
    status,
    Date.now(),
  )
  mkdirSync(join(root, 'docs/images'), { recursive: true })
  writeFileSync(join(root, 'docs/images', `${name}.svg`), svg(text))
  console.log(`docs/images/${name}.svg`)
}

const upstream = await Upstream.start()
const secrets = { work: 'sk-demo-work', personal: 'sk-demo-personal', spare: 'sk-demo-spare' }
const daemon = spawn(process.execPath, [program, '--data', data, 'serve', '--listen', '127.0.0.1:0'], {
  stdio: ['ignore', 'pipe', 'ignore'],
})
try {
  const origin = await new Promise((resolve, reject) => {
    let said = ''
    daemon.stdout.on('data', (bytes) => {
      said += bytes
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0]
      if (found) resolve(found)
    })
    daemon.on('exit', () => reject(new Error('the daemon did not start')))
  })
  for (const [name, secret] of Object.entries(secrets))
    spillway(['cred', 'add', name, '--provider', 'openai', '--no-check', '--base-url', upstream.url], secret)
  spillway(['pool', 'create', 'openai', '--provider', 'openai', '--members', 'work,personal,spare'])
  const key = spillway(['key', 'show', 'local']).trim()
  const ask = () =>
    fetch(`${origin}/openai/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: '{"model":"gpt-5","messages":[{"role":"user","content":"hello"}]}',
    }).then((answer) => answer.arrayBuffer())
  for (let n = 0; n < 12; n++) await ask()
  upstream.refuse(secrets.work, limited(240))
  for (let n = 0; n < 5; n++) await ask()
  spillway(['pool', 'park', 'openai', 'spare', '--for', '1h'])
  picture('status')
  for (const [at, name] of ['personal', 'spare'].entries()) upstream.refuse(secrets[name], limited(2_580 + 60 * at))
  for (let n = 0; n < 31; n++) await ask()
  picture('exhausted')
} finally {
  daemon.kill()
  await upstream.close()
  rmSync(data, { recursive: true, force: true })
}
