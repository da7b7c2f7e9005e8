/** What one case is: the script of a client's connection, and of the upstream's answers to its requests. Bytes are latin1 text. */

/** What an upstream does with one attempt. */
export interface Plan {
  readonly name: string
  /** Begins when the head of the request is here, or all of it, or never. */
  readonly when: 'head' | 'body' | 'never'
  /** Written with a turn of the event loop between two of them. */
  readonly pieces: readonly string[]
  readonly ends: 'keep' | 'fin' | 'rst'
  /** It repeats the secret that it was sent, for which `plans.ts` has placeholders. */
  readonly reflects?: boolean
  /** The proxy is to try another member. */
  readonly moves: boolean
  /** What a client may see of it: the answer, whole or (`broken`) a part of it with a broken connection. */
  readonly sees: { readonly status: number; readonly body: string; readonly may: 'whole' | 'broken' } | null
  /** Statuses of the proxy's own that may stand in its place. */
  readonly own: readonly number[]
}

/** Where a request is to end up. */
export type Goes =
  /** Sent on, with this body. */
  | { readonly to: 'upstream'; readonly body: string }
  /** An upgrade: sent on, and what follows is the tunnel's. */
  | { readonly to: 'tunnel' }
  /** Answered here with one of these; the connection may go on. */
  | { readonly to: 'us'; readonly statuses: readonly number[] }
  /** Answered with one error, with which the connection ends. */
  | { readonly to: 'end'; readonly statuses: readonly number[] }
  /** Must have no effect at all. */
  | { readonly to: 'nobody' }

export interface Request {
  readonly name: string
  readonly method: string
  readonly text: string
  /** Stands in the target and comes back in the answer. */
  readonly nonce: string
  readonly goes: Goes
  /** Where it would end up if the connection had not ended before it. */
  readonly alone: Goes
  /** The client asked for the end of the connection after this answer. */
  readonly closes: boolean
  /** The client announced that it waits for `100 Continue`. */
  readonly expects: boolean
  /** Its bytes have been changed, so that nobody can say what it is. */
  readonly isSpoilt?: boolean
  /** For one attempt after the other. */
  readonly plans: readonly Plan[]
}

/** What a client waits for before it goes on at a place of its stream. */
export interface Pause {
  readonly at: number
  /** So many turns of the event loop. */
  readonly turns?: number
  /** So many whole answers. */
  readonly answers?: number
  /** So many answers of any sort, whole ones and `100 Continue`. */
  readonly heard?: number
}

export interface Case {
  readonly kind: string
  readonly seed: number
  /** Which no other case of its round has. */
  readonly pool: string
  readonly requests: readonly Request[]
  readonly pauses: readonly Pause[]
  /** `wait`: for everything that is owed. Otherwise it leaves at that place of its stream, after so many turns. */
  readonly leaves: { readonly how: 'wait' | 'fin' | 'rst' | 'half'; readonly at: number; readonly turns: number }
  /** Reads on after so many turns in which it has read nothing, one piece each time; 0: at once. */
  readonly slow: number
  /** Nobody can say what these bytes mean: each answer is only to be one that somebody may get. */
  readonly garbled: boolean
}

/** Requests behind one with which their connection ends: whatever comes then must have no effect. */
export function settled(requests: readonly Request[]): Request[] {
  let isOver = false
  return requests.map((request) => {
    const { closes, alone } = request
    const goes: Goes = isOver ? { to: 'nobody' } : alone
    isOver ||= closes || alone.to === 'end' || alone.to === 'tunnel'
    return { ...request, goes }
  })
}

export function streamOf({ requests }: Case): string {
  let text = ''
  for (const request of requests) text += request.text
  return text
}

/** A case as a person reads it. */
export function shown(one: Case): string {
  const lines = [`kind ${one.kind}, seed ${one.seed}`]
  for (const { name, goes, plans, text } of one.requests) {
    lines.push(`  request ${name} (to ${goes.to}): ${abridged(text)}`)
    for (const plan of plans) {
      lines.push(
        `    upstream ${plan.name} at ${plan.when}, then ${plan.ends}: ${plan.pieces.map(abridged).join(' | ')}`,
      )
    }
  }
  if (one.pauses.length > 0)
    lines.push(
      `  pauses: ${one.pauses
        .slice(0, 20)
        .map((pause) => JSON.stringify(pause))
        .join(' ')}`,
    )
  lines.push(`  leaves: ${JSON.stringify(one.leaves)}${one.slow > 0 ? `, reads every ${one.slow} turns` : ''}`)
  return lines.join('\n')
}

function abridged(text: string): string {
  const short = text.length <= 600 ? text : `${text.slice(0, 400)}…(${text.length} bytes)…${text.slice(-60)}`
  return JSON.stringify(short)
}
