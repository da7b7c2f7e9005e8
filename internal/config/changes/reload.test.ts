import { describe, expect, it } from 'vitest'
import { type Config, loadConfig, reloadable } from '../config.ts'

function config(env: Record<string, string>): Config {
  const loaded = loadConfig({ file: '/none/spillway.yaml', explicit: false, env, dataDir: '/data' })
  if (!loaded.ok) throw new Error('refused')
  return loaded.config
}

describe('a reload', () => {
  const before = config({})

  it('has nothing to apply when nothing changed', () => {
    expect(reloadable(before, config({}))).toEqual({ live: [], restart: [], inForce: before })
  })

  it('applies at once what no listener and no database depends on', () => {
    const after = config({ SPILLWAY_LOG_LEVEL: 'debug', SPILLWAY_NOTICES_FAILOVER: 'on' })
    const changes = reloadable(before, after)
    expect(changes).toEqual({ live: ['notices.failover', 'log.level'], restart: [], inForce: after })
  })

  it('leaves listeners, database and log format to the next start, and keeps their old values in force', () => {
    const after = config({
      SPILLWAY_SERVER_LISTEN: '127.0.0.1:1',
      SPILLWAY_SERVER_TLS_CERT_FILE: 'c',
      SPILLWAY_SERVER_TLS_KEY_FILE: 'k',
      SPILLWAY_ADMIN_SOCKET: 'x.sock',
      SPILLWAY_NOTICES_TELEGRAM_CHAT_IDS: '1',
      SPILLWAY_NOTICES_HOST: 'node7',
      SPILLWAY_STORE_URL: 'sqlite:other.db',
      SPILLWAY_LOG_FORMAT: 'json',
      SPILLWAY_SERVER_DRAIN_MS: '1s',
    })
    const changes = reloadable(before, after)
    expect(changes.live).toEqual(['server.drainMs'])
    expect(changes.restart).toEqual([
      'server.listen',
      'server.tls.certFile',
      'server.tls.keyFile',
      'admin.socket',
      'notices.host',
      'notices.telegram.chatIds',
      'store.url',
      'log.format',
    ])
    expect(changes.inForce).toEqual({ ...before, server: { ...before.server, drainMs: 1_000 } })
    expect(reloadable(changes.inForce, after).restart).toEqual(changes.restart)
  })
})
