import { asksModel } from '../../dialect/dialect.ts'
import type { Lease } from '../../engine/engine.ts'
import type { Counting } from '../attempt/answer-count.ts'
import type { AdmittedRequest, ProxyContext } from './context.ts'
import type { Outgoing } from './outgoing.ts'

/** How the tokens of this member's answer are counted; null where nobody adds up, or the request asks no model for anything. */
export function countingFor(
  { books }: ProxyContext,
  { pool, key, target, upgrade }: AdmittedRequest,
  outgoing: Outgoing,
  lease: Lease,
): Counting | null {
  if (!books.isOpen || !(upgrade || asksModel(outgoing.method, target.path))) return null
  // What is asked for on a WebSocket goes by in its messages.
  const asked = upgrade ? null : outgoing.modelNamed()
  const { member, credential } = lease
  return {
    wantsModel: asked === null,
    done({ tokens, model }) {
      books.note({ pool: pool.name, key, member, provider: credential.provider, model: asked ?? model }, tokens)
    },
  }
}
