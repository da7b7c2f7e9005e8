import type { Clock } from '../../clock/clock.ts'
import type { Credentials } from '../../credential/credential.ts'
import type { Dialect, Spoken } from '../../dialect/dialect.ts'
import type { DataPath, LivePool } from '../../engine/engine.ts'
import type { Frame, IncomingRequest, OutgoingResponse, UpgradeClient } from '../../http1/http1.ts'
import type { Keyring } from '../../keys/keys.ts'
import type { Logger } from '../../log/log.ts'
import type { BudgetSettings, RetryBudget } from '../failover/replay.ts'
import type { Books } from '../local/books.ts'
import type { ExhaustedAnswers } from '../local/exhausted-answers.ts'
import type { ProxyMeter } from '../local/meter.ts'
import type { UpstreamSettings, Upstreams } from '../upstream/upstreams.ts'
import type { OpenSockets } from '../websocket/open-sockets.ts'
import type { BodyBudget } from './body-budget.ts'
import type { Target } from './target.ts'
import type { TurnStates } from './turn-states.ts'

/** What an operator can set of the data path, also while it runs. */
export interface ProxySettings {
  /** Whether answers name the member that served. */
  readonly exposeMember: boolean
  /** Whether WebSocket upgrades are carried. */
  readonly webSocket: boolean
  readonly upstream: UpstreamSettings
  readonly replay: ReplaySettings
}

export interface ReplaySettings {
  readonly maxAttempts: number
  /** A longer body is sent on as it comes, with one attempt. */
  readonly maxBodyBytes: number
  /** What all bodies that are held for a replay may take together. */
  readonly maxTotalBytes: number
  readonly budget: BudgetSettings
  /** How long a stream that carries no content yet is held back, in ms, by dialect. */
  readonly holdMs: { readonly codex: number; readonly default: number }
}

/** What all requests share. */
export interface ProxyContext {
  readonly engine: DataPath
  readonly credentials: Credentials
  readonly keys: Pick<Keyring, 'check'>
  readonly dialectOf: (of: Spoken) => Dialect
  readonly clock: Clock
  readonly log: Logger
  readonly meter: ProxyMeter
  readonly books: Books
  readonly upstreams: Upstreams
  readonly bodies: BodyBudget
  readonly retries: RetryBudget
  readonly exhaustedAnswers: ExhaustedAnswers
  readonly sockets: OpenSockets
  readonly turnStates: TurnStates
  settings: ProxySettings
  /** `/readyz` says so; before the store is open it is false. */
  ready: boolean
  /** Connections are closed with their current answer. */
  draining: boolean
}

/** A request that has been let in, with what was found out about it. */
export interface AdmittedRequest {
  readonly request: IncomingRequest
  readonly response: OutgoingResponse
  readonly id: string
  readonly pool: LivePool
  /** The name of the client key; empty for a preflight, which needs none. */
  readonly key: string
  readonly dialect: Dialect
  readonly target: Target
  readonly frame: Frame
  /** The client waits for `100 Continue` before it sends its body. */
  readonly expectsContinue: boolean
  /** The connection that is to become a WebSocket; null for a request. */
  readonly upgrade: UpgradeClient | null
}
