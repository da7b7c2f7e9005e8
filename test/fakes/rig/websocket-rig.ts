import { type Greeting, type WebSocketUpstream, webSocketUpstream } from '../upstream/websocket-upstream.ts'
import { type Rig, type RigOptions, startRig } from './rig.ts'

/** A rig with the upstream of its WebSockets; close both. */
export interface WebSocketStage {
  readonly rig: Rig
  readonly upstream: WebSocketUpstream
}

/** A pool of `a` and `b` before a fake that accepts and echoes, unless `greetings` says otherwise. */
export async function webSocketStage(
  greetings: Readonly<Record<string, Greeting>>,
  options: RigOptions & { readonly host?: string },
): Promise<WebSocketStage> {
  const upstream = await webSocketUpstream()
  for (const [member, greeting] of Object.entries(greetings)) upstream.on(`key-${member}`, greeting)
  const url = new URL(upstream.url)
  // A host of another name than the address, that a proxy knows.
  if (options.host !== undefined) url.hostname = options.host
  const rig = await startRig({ ...options, pool: { upstream: url.origin, ...options.pool } })
  return { rig, upstream }
}
