import { expect, it } from 'vitest'
import { FakeClock } from '../../clock/clock.ts'
import { createLogger } from '../../log/log.ts'
import { watchdog } from './watchdog.ts'

it('says once that its address is not reached, and that it is again, and never which one it is', async () => {
  const clock = new FakeClock()
  const lines: string[] = []
  const log = createLogger({ level: 'debug', format: 'json', destination: { write: (line) => lines.push(line) } })
  const answers = [200, 500, 'down', 'hangs', 200, 200] as const
  let asked = 0
  const settings = { watchdogUrl: 'http://watch.example/canary' as string | null, watchdogEveryMs: 60_000 }
  const watching = watchdog({
    clock,
    log,
    settings: () => settings,
    fetch: (_url, init) => {
      const next = answers[asked++]
      if (next === 'down') return Promise.reject(new Error('connect ECONNREFUSED http://watch.example/canary'))
      if (next !== 'hangs') return Promise.resolve(new Response(null, { status: next ?? 500 }))
      return new Promise((_, reject) => init?.signal?.addEventListener('abort', reject))
    },
  })
  for (let round = 1; round < answers.length; round++) await clock.advance(60_000)
  expect(asked).toBe(answers.length)
  expect(lines.map((line) => JSON.parse(line)).map(({ msg, what }) => [msg, what])).toEqual([
    ['notices.watchdogUrl was not reached; it is tried again', 'it answered 500'],
    ['notices.watchdogUrl is reached again', undefined],
  ])
  expect(lines.join('')).not.toContain('canary')
  settings.watchdogUrl = null
  watching.changed()
  await clock.advance(600_000)
  watching.stop()
  expect(asked).toBe(answers.length)
})
