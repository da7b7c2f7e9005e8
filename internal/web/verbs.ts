import type { IncomingMessage } from 'node:http'
import { type Ops, phrasedHint, Refusal, type RefusalCode } from '../ops/ops.ts'
import type { SayInstant } from '../when/when.ts'
import { type Html, html, none } from './html.ts'
import { doneText } from './pages/ask.ts'
import type { WebVerb } from './pages/buttons.ts'

/** Who acts from a page, as the audit log says it. */
export const webActor = 'operator:web'

const maxBodyBytes = 16 * 1024

/** The fields of a form; refuses what is none, or too long. */
export async function fieldsOf(request: IncomingMessage): Promise<URLSearchParams> {
  const type = request.headers['content-type'] ?? ''
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBodyBytes) throw new Refusal('invalid', 'the form is too long')
    chunks.push(chunk)
  }
  if (size > 0 && !type.startsWith('application/x-www-form-urlencoded'))
    throw new Refusal('invalid', 'a form is expected (application/x-www-form-urlencoded)')
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
}

interface Deed {
  readonly verb: WebVerb
  readonly pool: string
  readonly fields: URLSearchParams
}

/** Carries a verb out and says what came of it, in the words of the command line; rejects with a Refusal. */
export async function carryOut(
  ops: Ops,
  { verb, pool, fields }: Deed,
  say: (instant: string) => string,
): Promise<Html> {
  const member = fields.get('member')?.trim() ?? ''
  const length = fields.get('for')?.trim() ?? ''
  const forMs = length === '' ? {} : { forMs: lengthOf(length) }
  if (verb === 'rotate') {
    const done = await ops.poolRotate({ name: pool, ...(member === '' ? {} : { to: member }), ...forMs })
    const text = `${pool}: ${done.from} → ${done.to} (${done.from} parked until ${say(done.until)})`
    return doneText(text, pool, { verb: 'unpark', member: done.from })
  }
  if (member === '') throw new Refusal('invalid', `${verb} needs a member`, 'the field member names it')
  switch (verb) {
    case 'park': {
      const { until } = await ops.poolPark({ name: pool, member, ...forMs })
      const text = `${pool}: ${member} parked until ${until === null ? 'it is unparked' : say(until)}`
      return doneText(text, pool, { verb: 'unpark', member })
    }
    case 'unpark': {
      const { changed } = await ops.poolUnpark({ name: pool, member })
      const text = changed ? `${pool}: ${member} unparked` : `${pool}: ${member} is not parked`
      return doneText(text, pool, changed ? { verb: 'park', member } : null)
    }
    case 'clear': {
      const { changed } = await ops.poolClear({ name: pool, member })
      return doneText(changed ? `${pool}: ${member} cleared` : `${pool}: ${member} has no cooldown`, pool, null)
    }
    case 'enable':
      return enable(ops, pool, member)
  }
}

async function enable(ops: Ops, pool: string, member: string): Promise<Html> {
  const { members } = await ops.poolStatus({ name: pool })
  if (!members.some(({ name }) => name === member)) throw new Refusal('not-found', `${pool} has no member ${member}`)
  const { changed } = await ops.credEnable({ name: member })
  return doneText(changed ? `enabled ${member}` : `${member} is not disabled`, pool, null)
}

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** The milliseconds of `90s`, `5m` or `1h30m`; refuses what is none. */
function lengthOf(text: string): number {
  if (!/^(\d{1,6}[smhd])+$/i.test(text))
    throw new Refusal('invalid', `${JSON.stringify(text)} is not a length of time`, 'examples: 90s, 5m, 1h30m')
  let total = 0
  for (const [, count, unit = ''] of text.toLowerCase().matchAll(/(\d+)([smhd])/g))
    total += Number(count) * (units[unit] ?? 0)
  return total
}

/** What a refusal is as an HTTP status: all of them are about what was asked. */
const statuses: Readonly<Record<RefusalCode, number>> = {
  'not-found': 404,
  conflict: 409,
  invalid: 400,
  'try-later': 409,
  'needs-person': 409,
  failed: 500,
}

/** A refusal as a page says it: the sentence of the command line, and its hint. */
export function refused(refusal: Refusal): { readonly status: number; readonly body: Html } {
  const hint = phrasedHint(refusal.hint)
  const body = html`<div class="refused" role="alert"><p><b>${refusal.message}</b></p>${hint === null ? none : html`<p>${hint}</p>`}</div>`
  return { status: statuses[refusal.code], body }
}

/** Says instants as the pages do. */
export function saying(say: SayInstant, now: number): (instant: string) => string {
  return (instant) => say(Date.parse(instant), now)
}
