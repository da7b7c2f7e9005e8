import { type Rig, type RigOptions, startRig } from './rig.ts'
import { type Greeting, type WebSocketUpstream, webSocketUpstream } from './websocket-upstream.ts'

/** A rig with the upstream of its WebSockets; close both. */
export interface WebSocketStage {
  readonly rig: Rig
  readonly upstream: WebSocketUpstream
}

/** A pool of `a` and `b` before a fake that accepts and echoes, unless `greetings` says otherwise. */
export async function webSocketStage(
  greetings: Readonly<Record<string, Greeting>>,
  options: RigOptions,
): Promise<WebSocketStage> {
  const upstream = await webSocketUpstream()
  for (const [member, greeting] of Object.entries(greetings)) upstream.on(`key-${member}`, greeting)
  const rig = await startRig({ ...options, pool: { upstream: upstream.url, ...options.pool } })
  return { rig, upstream }
}
