import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { findBinaries } from './binaries.ts'

/**
 * Ends the server, whatever becomes of the process that started it: its standard input then ends. Whoever says `keep` before
 * wants the data; otherwise they are removed.
 */
const guardian = `folder="$1"; shift; "$@" </dev/null & pid=$!; trap : INT TERM; said=$(cat); kill -QUIT $pid; wait $pid
  [ "$said" = keep ] || rm -rf "$folder"`

const settings = {
  listen_addresses: '127.0.0.1',
  max_connections: '60',
  shared_buffers: '16MB',
  max_wal_size: '64MB',
  autovacuum: 'off',
  log_min_messages: 'warning',
}

/** A PostgreSQL server of a test's own. */
export interface PostgresServer {
  readonly port: number
  /** Runs SQL as the superuser, in one database. */
  run(statements: string, database?: string): Promise<pg.QueryResult>
  /** Makes an empty database and says how it is reached. */
  createDatabase(): Promise<string>
  dropDatabase(name: string): Promise<void>
  /** Ends it at once, as a crash would. */
  crash(): Promise<void>
  /** Starts it again after `crash`. */
  start(): Promise<void>
  stop(): Promise<void>
}

interface ServerOptions {
  /** Whether commits are forced to the disk. */
  readonly durable?: boolean
  /** Asked of everybody; without one everybody is let in. */
  readonly password?: string
  /** Speaks TLS as well, with this certificate. */
  readonly tls?: { readonly cert: string; readonly key: string }
}

/** Starts a server. */
export async function startPostgres({ durable = false, password, tls }: ServerOptions = {}): Promise<PostgresServer> {
  const { initdb, postgres, as } = findBinaries()
  const folder = mkdtempSync(join(tmpdir(), 'spillway-postgres-'))
  if (as) chownSync(folder, as.uid, as.gid)
  const data = join(folder, 'data')
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' }
  function put(name: string, text: string): string {
    const file = join(folder, name)
    writeFileSync(file, text, { mode: 0o600 })
    if (as) chownSync(file, as.uid, as.gid)
    return file
  }
  const auth = password === undefined ? ['trust'] : ['scram-sha-256', '--pwfile', put('password', password)]
  const cluster = ['-D', data, '-U', 'postgres', '-E', 'UTF8', '--no-locale', '--no-sync', '--no-instructions']
  execFileSync(initdb, [...cluster, '-A', ...auth], { ...as, env, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  const port = await freePort()
  const secured = tls && { ssl: 'on', ssl_cert_file: put('cert.pem', tls.cert), ssl_key_file: put('key.pem', tls.key) }
  const place = { port: String(port), unix_socket_directories: folder }
  const all = { ...settings, ...place, ...secured, ...(durable ? {} : { fsync: 'off' }) }
  const args = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  let child: ChildProcess | null = null
  let count = 0

  async function run(statements: string, database = 'postgres'): Promise<pg.QueryResult> {
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', password: password ?? '', database })
    client.on('error', () => {})
    await client.connect()
    try {
      return await client.query(statements)
    } finally {
      await client.end()
    }
  }
  async function start(): Promise<void> {
    child = spawn('sh', ['-c', guardian, 'sh', folder, postgres, '-D', data, ...args], {
      ...as,
      env,
      cwd: '/',
      stdio: ['pipe', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr?.on('data', (chunk) => {
      said = (said + chunk).slice(-4_000)
    })
    while (!(await answers(port))) {
      if (child.exitCode !== null) throw new Error(`PostgreSQL did not start: ${said}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    for (;;) {
      try {
        await run('select 1')
        return
      } catch (error) {
        if ((error as { code?: string }).code !== '57P03') throw error
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  }
  async function end(last: string): Promise<void> {
    const ending = child
    if (!ending) return
    child = null
    ending.stdin?.end(last)
    if (ending.exitCode === null) await new Promise((resolve) => ending.once('exit', resolve))
  }
  await start()
  return {
    port,
    run,
    async createDatabase() {
      const name = `t${++count}`
      await run(`create database ${name}`)
      return name
    },
    async dropDatabase(name) {
      await run(`drop database if exists ${name} with (force)`)
    },
    crash: () => end('keep'),
    start,
    async stop() {
      await end('')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
