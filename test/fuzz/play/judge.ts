import { masked, secretPrefix } from '../cases/answers.ts'
import type { Case, Plan, Request } from '../cases/case.ts'
import type { Read } from './answer-reader.ts'
import type { FuzzClient } from './client.ts'
import type { Expected } from './upstream.ts'

/** What is wrong with what the client and the upstream of a case have seen; empty when nothing is. */
export function judged(client: FuzzClient, expected: readonly Expected[], clientKey: string): string[] {
  const faults = expected.flatMap(({ faults }) => faults)
  if (client.heard.includes(secretPrefix)) faults.push('a credential of the upstream reached the client')
  if (client.heard.includes(clientKey)) faults.push('the client key came back')
  const { reader } = client
  if (reader.fault !== null) faults.push(`the client met ${reader.fault}`)
  faults.push(...(client.case.garbled ? garbledFaults(client) : orderFaults(client)))
  if (reader.hasRest && reader.answers.at(-1)?.isLast) faults.push('something came behind the last answer')
  return faults
}

/** Nobody knows which answers these bytes deserve, but none may come behind the last, or for somebody else. */
function garbledFaults({ case: { requests }, reader: { answers } }: FuzzClient): string[] {
  const faults: string[] = []
  answers.forEach((read, at) => {
    const nonce = nonceOf(read)
    if (nonce !== null && !requests.some((request) => request.nonce === nonce))
      faults.push(`somebody else's answer: ${nonce}`)
    if (at > 0 && answers[at - 1]?.isLast) faults.push('an answer behind the last')
    if (nonce === null && !isOurs(read))
      faults.push(`an answer of nobody's: ${JSON.stringify(read.head.slice(0, 200))}`)
  })
  return faults
}

const nonceOf = ({ head }: Read) => /\r\nx-nonce: (\S+)\r\n/i.exec(head)?.[1] ?? null
const isOurs = ({ head }: Read) => /\r\nx-spillway-request-id: \S+\r\n/i.test(head)

function orderFaults(client: FuzzClient): string[] {
  const { case: one, reader, sent } = client
  const faults: string[] = []
  let begin = 0
  for (let at = 0; at < one.requests.length || at < reader.answers.length; at++) {
    const request = one.requests[at]
    const read = reader.answers[at]
    const before = reader.answers[at - 1]
    const end = begin + (request?.text.length ?? 0)
    if (read && (before?.isLast || (before && !before.complete))) faults.push('an answer behind the last')
    if (read && (!request || request.goes.to === 'nobody'))
      faults.push(`an answer that nobody asked for: ${read.status}`)
    else if (read && request) {
      if (sent <= begin) faults.push('an answer before its request')
      if (isTornOff(client, end, read)) break
      faults.push(...answerFaults(client, request, read, at))
    } else if (!read && request) {
      if (isOwed(client, request, before, sent >= end))
        faults.push(`no answer to request ${at + 1} (${request.name}), connection ended: ${client.ended}`)
      break
    }
    begin = end
  }
  if ((reader.interims[reader.answers.length] ?? 0) > 0 && !one.requests[reader.answers.length]?.expects)
    faults.push('a 100 that nobody asked for')
  return faults
}

/** Whether it says no more than that the client left in the middle of its request. */
function isTornOff({ case: { leaves }, sent }: FuzzClient, end: number, read: Read): boolean {
  return leaves.how !== 'wait' && sent < end && nonceOf(read) === null && read.status === 400
}

/** Whether an answer had to come: all of the request was sent, the connection went on, and the client waited. */
function isOwed(
  { case: { leaves } }: FuzzClient,
  request: Request,
  before: Read | undefined,
  isSent: boolean,
): boolean {
  if (leaves.how !== 'wait' || !isSent || request.goes.to === 'nobody') return false
  return !before || (before.complete && !before.isLast)
}

function answerFaults(client: FuzzClient, request: Request, read: Read, at: number): string[] {
  const faults: string[] = []
  const {
    ended,
    reader,
    case: { leaves },
  } = client
  const interims = reader.interims[at] ?? 0
  if (interims > (request.expects ? 1 : 0)) faults.push(`${interims} times 100 before the answer to ${request.name}`)
  const nonce = nonceOf(read)
  if (!isOurs(read))
    faults.push(`an answer without our mark to ${request.name}: ${JSON.stringify(read.head.slice(0, 200))}`)
  if (nonce !== null && nonce !== request.nonce)
    faults.push(`somebody else's answer: ${nonce} in place of ${request.nonce}`)
  if (nonce === null) faults.push(...ownFaults(request, read))
  else faults.push(...upstreamFaults(client, request, read))
  const isEnd = request.goes.to === 'end' || request.closes
  if (isEnd && read.complete && !read.isLast)
    faults.push(`the answer to ${request.name} does not end the connection: ${read.status}`)
  if (leaves.how === 'wait' && read.isLast && read.complete && ended === 'no')
    faults.push(`the connection stays open behind its last answer (${request.name})`)
  if (leaves.how === 'wait' && !read.complete && ended === 'no')
    faults.push(`an answer to ${request.name} that does not go on`)
  return faults
}

/** One of the proxy's own. */
function ownFaults(request: Request, read: Read): string[] {
  const { goes, name } = request
  const allowed = goes.to === 'us' || goes.to === 'end' ? goes.statuses : ownStatuses(request)
  return allowed.includes(read.status)
    ? []
    : [`${name} was answered with ${read.status} of our own: ${read.body.slice(0, 200)}`]
}

/** The plan whose answer the client is to get. */
function lastPlan({ plans }: Request): Plan | undefined {
  const at = plans.findIndex(({ moves }) => !moves)
  return plans[at === -1 ? plans.length - 1 : at]
}

const ownStatuses = (request: Request) => lastPlan(request)?.own ?? []

function upstreamFaults(client: FuzzClient, request: Request, read: Read): string[] {
  const { ended, case: one } = client
  const plan = lastPlan(request)
  const sees = plan?.sees
  if (!sees) return [`an answer of the upstream to ${request.name}, which gave none: ${read.status}`]
  const faults: string[] = []
  if (read.status !== sees.status)
    faults.push(`${request.name} was answered with ${read.status} in place of ${sees.status}`)
  const body = plan.reflects ? masked(sees.body) : sees.body
  const isWhole = read.complete && sees.may === 'whole'
  if (sees.status === 101) faults.push(...tunnelFaults(client.reader.tunnel ?? '', sees.body))
  else if (isWhole ? read.body !== body : !body.startsWith(read.body))
    faults.push(`another body for ${request.name}: ${JSON.stringify(read.body.slice(0, 200))}`)
  if (sees.status !== 101 && sees.may === 'broken' && read.complete) {
    const isCleanEnd = !read.isUntilEnd || ended === 'fin'
    if (request.goes.to !== 'tunnel' && isCleanEnd && read.body !== body)
      faults.push(`a part of an answer to ${request.name} passes for the whole`)
  }
  if (one.leaves.how === 'wait' && sees.may === 'whole' && !read.complete)
    faults.push(`a part of the answer to ${request.name}`)
  return faults
}

/** What came in a WebSocket is what was said, as far as it came, and a Close of our own at most. */
function tunnelFaults(heard: string, said: string): string[] {
  if (said.startsWith(heard)) return []
  let common = 0
  while (common < heard.length && heard[common] === said[common]) common++
  // What was said may begin like a Close itself.
  for (let end = common; end >= 0; end--) if (isClose(heard.slice(end))) return []
  return [`another word in the WebSocket: ${JSON.stringify(heard.slice(common, common + 100))}`]
}

const isClose = (frame: string) => frame.charCodeAt(0) === 0x88 && frame.length === 2 + frame.charCodeAt(1)

export type Verdict = { readonly case: Case; readonly faults: readonly string[] }
