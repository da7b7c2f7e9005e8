import { asksModel } from '../../dialect/dialect.ts'
import type { Lease } from '../../engine/engine.ts'
import type { Counting } from '../attempt/answer-count.ts'
import type { AdmittedRequest, ProxyContext } from './context.ts'
import type { Outgoing } from './outgoing.ts'
import { wantedIds } from './owned-state.ts'

/** How this member's answer is read as it passes: its tokens, and what it says the member has; null where neither matters. */
export function countingFor(
  context: ProxyContext,
  admitted: AdmittedRequest,
  outgoing: Outgoing,
  lease: Lease,
): Counting | null {
  const { books } = context
  const { pool, key, target, upgrade } = admitted
  const isCounted = books.isOpen && (upgrade !== null || asksModel(outgoing.method, target.path))
  const ids = wantedIds(context, admitted, lease)
  if (!isCounted && ids === null) return null
  // What is asked for on a WebSocket goes by in its messages.
  const asked = upgrade ? null : outgoing.modelNamed()
  const { member, credential } = lease
  return {
    wantsModel: isCounted && asked === null,
    ids,
    done({ tokens, model }) {
      if (!isCounted) return
      books.note({ pool: pool.name, key, member, provider: credential.provider, model: asked ?? model }, tokens)
    },
  }
}
