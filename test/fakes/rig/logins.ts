import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import { FakeClock } from '../../../internal/clock/clock.ts'
import {
  createCredentials,
  type LiveCredentials,
  type Material,
  tokenWrites,
} from '../../../internal/credential/credential.ts'
import { type Health, needsLogin, pristine } from '../../../internal/pool/pool.ts'
import type { CredentialRecord, SecretRecord } from '../../../internal/store/store.ts'
import { Secret, Vault } from '../../../internal/vault/vault.ts'
import { AuthServer, type AuthServerOptions } from '../auth/auth-server.ts'
import { credentialRecord } from './records.ts'
import { MemoryStore } from './store.ts'

export const hour = 3_600_000
export const vault = new Vault(randomBytes(32))
/** The parts of a test of one login: what its process holds, and what it is told of. */
export const rig = {
  folder: '',
  path: '',
  clock: new FakeClock(),
  server: null as unknown as AuthServer,
  store: new MemoryStore(),
  live: null as unknown as LiveCredentials,
  health: pristine as Health,
  told: [] as string[],
}

/** Makes new parts for each test of the file. */
export function useLoginRig(): void {
  beforeEach(async () => {
    rig.folder = mkdtempSync(join(tmpdir(), 'spillway-login-'))
    rig.path = join(rig.folder, 'home', 'auth.json')
    mkdirSync(join(rig.folder, 'home'))
    rig.clock = new FakeClock(Date.now())
    rig.store = new MemoryStore()
    rig.health = pristine
    rig.told = []
    await begin()
  })
  afterEach(async () => {
    await rig.live.stop()
    await rig.server.stop()
    rmSync(rig.folder, { recursive: true })
  })
}

export async function begin(options: AuthServerOptions = {}): Promise<void> {
  await (rig.server as AuthServer | null)?.stop()
  rig.server = await AuthServer.start(options)
  rig.live = process()
}

/** The credentials of one process; calling it again is a restart, or a neighbour. */
export function process(): LiveCredentials {
  return createCredentials({
    clock: rig.clock,
    vault,
    store: rig.store,
    directory: rig.folder,
    env: {},
    oauth: () => ({ codex: { tokenUrl: rig.server.tokenUrl, clientId: null } }),
    random: () => 0.5,
    warn: (message) => rig.told.push(message),
    refreshed: (_, result) => rig.told.push(result),
    verdicts: {
      engineView: () => ({ generation: 7, health: rig.health }),
      async needsLogin(_, generation, reason) {
        rig.told.push(`needs login ${generation} ${reason}`)
        rig.health = needsLogin(reason, rig.clock.now())
      },
      async replaced(_, how) {
        rig.told.push(`replaced by ${how}`)
        rig.health = pristine
      },
    },
  })
}

export const inVault = credentialRecord({ id: 'c1', name: 'work', provider: 'codex', auth: 'oauth' })
export const inFile = (): CredentialRecord => ({
  ...inVault,
  source: { kind: 'file', path: rig.path, format: 'codex' },
})

/** Keeps a login of the server in the vault, its access token good for `leftMs`. */
export async function keepInVault(leftMs: number): Promise<void> {
  const { accessToken, refreshToken } = rig.server.login('work')
  const tokens = {
    accessToken: new Secret(accessToken),
    refreshToken: new Secret(refreshToken),
    expiresAt: rig.clock.now() + leftMs,
    accountId: 'acc',
    scope: null,
    idToken: null,
  }
  const writes = tokenWrites(vault, { id: 'c1', generation: 1, tokens, expected: null })
  await rig.store.commit({ writes, audit: [] })
  rig.live.add([inVault], secretsOf(writes))
}

export function secretsOf(writes: ReturnType<typeof tokenWrites>): SecretRecord[] {
  return writes.flatMap((write) => ('put' in write && write.put === 'secret' ? [write.row] : []))
}

/** What the tool's own login writes. */
export function writeFile(given: { accessToken: string; refreshToken: string }, accountId = 'acc'): void {
  const tokens = { access_token: given.accessToken, refresh_token: given.refreshToken, account_id: accountId }
  writeFileSync(
    rig.path,
    JSON.stringify({ auth_mode: 'chatgpt', OPENAI_API_KEY: null, tokens, more: { kept: 1 } }, null, 2),
  )
  chmodSync(rig.path, 0o600)
}

export function fileTokens(): { access_token: string; refresh_token: string } {
  return JSON.parse(readFileSync(rig.path, 'utf8')).tokens
}

export async function keepInFile(): Promise<void> {
  writeFile(rig.server.login('work'))
  rig.live.add([inFile()], [])
  await rig.live.ready()
}

export function now(record = inVault): Material {
  const material = rig.live.material(record)
  if (material instanceof Promise) throw new Error('the material was not in memory')
  return material
}

/** Lets real workers and sockets do their work while the fake time moves on, more slowly than any deadline. */
export async function until(done: () => boolean): Promise<void> {
  await vi.waitFor(
    async () => {
      await rig.clock.advance(25)
      expect(done()).toBe(true)
    },
    { timeout: 40_000, interval: 5 },
  )
}

export async function settled<T>(promise: Promise<T>): Promise<T> {
  let isOver = false
  promise.then(
    () => {
      isOver = true
    },
    () => {
      isOver = true
    },
  )
  await until(() => isOver)
  return promise
}
