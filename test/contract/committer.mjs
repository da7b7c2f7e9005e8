// Commits in a loop until it is killed, and says on stdout how far it is: the number of each commit that was answered.
// Each commit writes a counter, a state and an audit row that carry the same number.
import { readFileSync, writeSync } from 'node:fs'
import { systemClock } from '../../dist/internal/clock/clock.js'
import { openSqliteStore } from '../../dist/internal/store/store.js'

const [file, first, last] = process.argv.slice(2)
const clock = systemClock()
const key = { keyId: '0123456789abcdef', auditKey: readFileSync(`${file}.key`) }
const store = await openSqliteStore({ file, key, clock, deadlineMs: 15_000, program: '0.1.0' })
for (let i = Number(first); i <= Number(last); i++) {
  const at = clock.now()
  const detail = { until: at + i, scope: 'member', model: null, status: 429 }
  const who = { pool: 'openai', from: `m${i}`, to: null, reason: 'quota', actor: 'spillway' }
  await store.commit({
    writes: [
      { put: 'meta', name: 'count', value: String(i) },
      { put: 'host', row: { host: 'h', failures: i, since: at, nextAttemptAt: at } },
    ],
    audit: [{ event: { kind: 'cred_cooled', at, ...who, detail }, suppressed: 0 }],
  })
  writeSync(1, `done ${i}\n`)
}
await store.close()
