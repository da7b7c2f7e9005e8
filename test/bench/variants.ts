import { type ChildProcess, execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { selfSigned } from '../fakes/upstream/certificate.ts'
import { proxyCore } from './cores.ts'
import { allowing, family, forkPinned, listening, spawnPinned } from './process.ts'

/** A proxy under test, running. */
export interface Running {
  readonly name: string
  readonly port: number
  /** What the load generator asks for, up to the query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly pids: () => readonly number[]
  /** The data directory and the time to start in ms, of a spillway. */
  readonly data?: string
  readonly startMs?: number
  /** The exit code of a spillway, once it has one. */
  readonly ended?: Promise<number | null>
  stop(): void
}

/** How to start one proxy between `port` and the origin; null when it is not installed, with what is missing. */
export interface Variant {
  readonly name: string
  start(port: number, origin: Origin): Promise<Running> | { readonly missing: string }
}

/** The upstream behind the proxies. */
interface Origin {
  readonly port: number
  readonly isSecure: boolean
}

const urlOf = ({ port, isSecure }: Origin) => `${isSecure ? 'https' : 'http'}://127.0.0.1:${port}`

const root = fileURLToPath(new URL('../../..', import.meta.url))
/** The program as it is started. */
export const main = join(root, 'dist/cmd/spillway/main.js')
const path = '/openai/v1/chat/completions'
const json = { 'content-type': 'application/json', authorization: 'Bearer sk-client' }

async function running(name: string, port: number, child: ChildProcess, more: Partial<Running> = {}): Promise<Running> {
  await listening(port)
  const pid = child.pid ?? 0
  const stop = () => void child.kill('SIGTERM')
  return { name, port, path, headers: json, pids: () => family(pid), stop, ...more }
}

function installed(command: string): boolean {
  return ['/usr/sbin', '/usr/bin', '/usr/local/bin'].some((folder) => existsSync(join(folder, command)))
}

function temporary(name: string, text: string): { folder: string; file: string } {
  const folder = mkdtempSync(join(tmpdir(), 'spillway-bench-'))
  const file = join(folder, name)
  writeFileSync(file, text)
  return { folder, file }
}

const nginxConfig = (port: number, origin: Origin, folder: string) => `
daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr crit;
events { worker_connections 20000; }
http {
  access_log off; keepalive_requests 1000000; client_max_body_size 64m; client_body_buffer_size 2m;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f;
  uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  upstream origin { server 127.0.0.1:${origin.port}; keepalive 256; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    location /openai/ {
      proxy_pass ${origin.isSecure ? 'https' : 'http'}://origin/; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Authorization "Bearer sk-upstream"; proxy_buffering off;
    }
  }
}`

const haproxyConfig = (port: number, origin: Origin) => `
global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout connect 10s
  timeout client 300s
  timeout server 300s
  http-reuse always
frontend in
  bind 127.0.0.1:${port}
  http-request replace-path /openai(.*) \\1
  http-request set-header authorization "Bearer sk-upstream"
  default_backend origin
backend origin
  server origin 127.0.0.1:${origin.port} ${origin.isSecure ? 'ssl verify none' : ''}
`

export const nginx: Variant = {
  name: 'nginx',
  start(port, origin) {
    if (!installed('nginx')) return { missing: 'nginx is not installed (apt-get install nginx-light)' }
    const folder = mkdtempSync(join(tmpdir(), 'spillway-bench-'))
    const file = join(folder, 'nginx.conf')
    writeFileSync(file, nginxConfig(port, origin, folder))
    const command = ['nginx', '-e', 'stderr', '-p', folder, '-c', file]
    return running('nginx', port, spawnPinned(proxyCore, command))
  },
}

export const haproxy: Variant = {
  name: 'haproxy',
  start(port, origin) {
    if (!installed('haproxy')) return { missing: 'haproxy is not installed (apt-get install haproxy)' }
    const { file } = temporary('haproxy.cfg', haproxyConfig(port, origin))
    return running('haproxy', port, spawnPinned(proxyCore, ['haproxy', '-f', file]))
  },
}

const peer = (name: string) => new URL(`./peers/${name}.js`, import.meta.url)

export const bareHttpProxy: Variant = {
  name: 'http-proxy',
  start: (port, origin) =>
    running('http-proxy', port, forkPinned(peer('http-proxy'), proxyCore, [String(port), urlOf(origin)])),
}

export const bareUndici: Variant = {
  name: 'node:http + undici',
  start: (port, origin) =>
    running('node:http + undici', port, forkPinned(peer('undici'), proxyCore, [String(port), urlOf(origin)])),
}

/** What no program on Node's sockets can cost less than. */
export const floor: Variant = {
  name: 'relay of bytes',
  start: (port, origin) =>
    running('relay of bytes', port, forkPinned(peer('relay'), proxyCore, [String(port), urlOf(origin)])),
}

export const portkey: Variant = {
  name: 'portkey',
  start(port, origin) {
    const entry = join(root, 'test/bench/node_modules/@portkey-ai/gateway/build/start-server.js')
    if (!existsSync(entry)) return { missing: 'portkey is not installed (npm install in test/bench)' }
    const host = { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${urlOf(origin)}/v1` }
    const child = spawnPinned(proxyCore, [process.execPath, entry, `--port=${port}`, '--headless'])
    return running('portkey', port, child, { path: '/v1/chat/completions', headers: { ...json, ...host } })
  },
}

/** How many members, and how many of the first of them, or which, the origin limits. */
export interface PoolShape {
  readonly members: number
  readonly limited: number | 'even'
  readonly strategy?: string
  readonly maxWaitMs?: number
  /** Settings by the names of their environment variables. */
  readonly settings?: Readonly<Record<string, string>>
  /** Descriptors that the process may open; null: as many as this one. */
  readonly descriptors?: number | null
}

/** spillway with one pool over the origin, set up through its own command line. */
export function spillway(name = 'spillway', shape: PoolShape = { members: 2, limited: 0 }): Variant {
  return {
    name,
    async start(port, origin) {
      const data = mkdtempSync(join(tmpdir(), 'spillway-bench-'))
      // What it says on stderr (a key is shown only once) is of interest in the error of a failed command only.
      const cli = (args: readonly string[], input = '') =>
        execFileSync(process.execPath, [main, '--data', data, ...args], { input, encoding: 'utf8', stdio: 'pipe' })
      cli(['init'])
      const members = Array.from({ length: shape.members }, (_, at) => `m${at}`)
      const isLimited = (at: number) => (shape.limited === 'even' ? at % 2 === 0 : at < shape.limited)
      const secrets = members.map((_, at) => (isLimited(at) ? 'sk-limited' : `sk-up${at}`))
      const credentials = members.map((name, at) => [
        name,
        { provider: 'openai', source: { env: `BENCH_KEYS#${at + 1}` } },
      ])
      const upstream = urlOf(origin)
      const { strategy = 'sticky', maxWaitMs = 0 } = shape
      const pools = { openai: { provider: 'openai', members, upstream, strategy, maxWaitMs } }
      cli(['apply', '-'], JSON.stringify({ credentials: Object.fromEntries(credentials), pools }))
      const { key } = JSON.parse(cli(['key', 'create', 'bench', '--json'])) as { key: string }
      const serve = [process.execPath, main, '--data', data, 'serve', '--listen', `127.0.0.1:${port}`]
      const command = [...allowing(shape.descriptors ?? null), ...serve]
      const started = performance.now()
      const child = spawnPinned(proxyCore, command, {
        ...process.env,
        SPILLWAY_LOG_LEVEL: 'error',
        ...shape.settings,
        BENCH_KEYS: secrets.join(','),
        NODE_EXTRA_CA_CERTS: temporary('ca.pem', selfSigned.cert).file,
      })
      const ended = new Promise<number | null>((resolve) => child.on('exit', resolve))
      const stop = () => {
        child.kill('SIGKILL')
        rmSync(data, { recursive: true, force: true })
      }
      const made = await running(name, port, child, {
        headers: { ...json, authorization: `Bearer ${key}` },
        ended,
        stop,
        data,
      })
      return { ...made, startMs: performance.now() - started }
    },
  }
}
