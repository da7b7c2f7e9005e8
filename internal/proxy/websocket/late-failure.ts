import { tellsOfLimits } from '../../dialect/dialect.ts'
import { type Found, payloadOf } from './frames.ts'
import type { OpeningJudge } from './opening.ts'

/** A longer message that has begun to go on is not looked into, in bytes, unless it begins like an error. */
const maxInspected = 65_536
const limitsBytes = Buffer.from('"codex.rate_limits"')
const errorBytes = Buffer.from('"error"')
const beginsLikeError = /"type"\s*:\s*"(?:error|response\.failed)"/

/** Whether a message of the server, in the middle of an answer, says that the answer has failed. */
export function isFailure(found: Found, judge: Pick<OpeningJudge, 'meaning' | 'limits'>): boolean {
  if (found.kind !== 'text') return false
  const [first] = found.parts
  if (found.length > maxInspected && !beginsLikeError.test(first?.toString('latin1', 0, 256) ?? '')) return false
  const payload = payloadOf(found)
  if (payload.includes(limitsBytes)) tellLimits(payload.toString(), judge)
  if (!payload.includes(errorBytes)) return false
  const meaning = judge.meaning(payload.toString())
  return typeof meaning === 'object' && meaning.kind !== 'success'
}

function tellLimits(message: string, judge: Pick<OpeningJudge, 'limits'>): void {
  if (tellsOfLimits(message)) judge.limits(message)
}
