import type { NamedState } from '../api/data-path.ts'
import type { Core } from '../state/context.ts'
import { type LiveLease, type Owner, ownerGate } from '../state/live.ts'

/** Who alone has that state; null where that is not known and the upstream itself has to say so. */
export function ownerOf({ owners, clock }: Core, { digests, isResent }: NamedState): Owner | null {
  const gate = owners.of(digests, clock.now())
  return gate || isResent ? { gate, isResent } : null
}

/** The member of the lease has made what that digest names. */
export function noteOwner({ owners, clock }: Core, { seat }: LiveLease, digest: string, isUpload: boolean): void {
  owners.note(digest, ownerGate(seat), { isUpload, now: clock.now() })
}
