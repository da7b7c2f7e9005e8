import type { Clock } from '../../clock/clock.ts'
import type { ClientDeadlines } from './client-deadline.ts'
import type { FastRequest } from './fast-request.ts'
import type { FastResponse } from './fast-response.ts'
import type { RequestFault } from './rejection.ts'
import type { UpgradeClient } from './upgrade-client.ts'

/** What connections that are read directly share. */
export interface FastConnectionContext extends ClientDeadlines {
  readonly clock: Clock
  readonly maxHeaderSize: number
  accept(request: FastRequest, response: FastResponse, upgrade: UpgradeClient | null): void
  /** What is said in place of an answer, as it is written. */
  rejection(fault: RequestFault): string
  /** A fault of our own. */
  crashed(error: unknown): void
}
