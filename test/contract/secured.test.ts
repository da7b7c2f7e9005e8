import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../fakes/postgres/server.ts'
import { selfSigned } from '../fakes/upstream/certificate.ts'
import { openOn } from './postgres.ts'
import { sqliteDatabase } from './sqlite.ts'

const password = 'CANARY: of the \\ database'
let server: PostgresServer
let url: string

beforeAll(async () => {
  server = await startPostgres({ password, tls: selfSigned })
  url = `postgres://postgres@localhost:${server.port}/${await server.createDatabase()}`
})
afterAll(() => server.stop())

describe('the password of a database', () => {
  const { folder, remove } = sqliteDatabase()
  const passFile = join(folder, 'pgpass')
  afterAll(() => remove())

  test.each([
    ['the configuration', () => ({ password })],
    ['PGPASSWORD', () => ({ env: { PGPASSWORD: password } })],
    [
      'PGPASSFILE',
      () => {
        const escaped = password.replace(/[\\:]/g, '\\$&')
        writeFileSync(passFile, `other:*:*:*:wrong\nlocalhost:${server.port}:*:postgres:${escaped}\n`)
        return { env: { PGPASSFILE: passFile } }
      },
    ],
  ])('comes from %s', async (_name, options) => {
    const store = await openOn(url, options())
    expect((await store.load()).meta).toEqual({})
    await store.close()
  })

  test.each([
    ['is wrong', { password: 'CANARY-wrong' }, /does not let us in/],
    ['is missing', {}, /asks for a password, and none is known/],
  ])('that %s is told as such, and is in no error', async (_name, options, message) => {
    const refused = await openOn(url, options).catch((error: unknown) => error)
    expect(refused).toMatchObject({ name: 'StoreError', code: 'unavailable', message: expect.stringMatching(message) })
    expect(inspect(refused, { depth: 10, showHidden: true })).not.toContain('CANARY')
  })
})

describe('the encryption of a connection', () => {
  const encrypted = async (mode: string, options: object = {}) => {
    const store = await openOn(`${url}?sslmode=${mode}`, { password, ...options })
    const health = await store.shared?.health()
    await store.close()
    return health?.encrypted
  }

  test('is verified against the authority that is named', async () => {
    expect(await encrypted('verify-full', { ca: selfSigned.cert })).toBe(true)
    expect(await encrypted('verify-ca', { ca: selfSigned.cert })).toBe(true)
  })

  test('is refused where nobody vouches for the server, unless that was waived', async () => {
    await expect(encrypted('verify-full')).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/cannot be reached: self[- ]signed certificate/),
    })
    expect(await encrypted('require')).toBe(true)
    expect(await encrypted('disable')).toBe(false)
  })
})
