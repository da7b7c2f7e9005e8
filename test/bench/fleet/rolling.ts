import { Load } from './client.ts'
import type { Ground } from './ground.ts'
import { pause } from './waiting.ts'

export interface Started {
  /** How many of the replicas are there some time after they were started in the same moment, on an empty database. */
  readonly up: number
  /** What a replica with another master key ends with. */
  readonly strangerCode: number | null
}

export async function started(ground: Ground): Promise<Started> {
  for (const replica of ground.replicas) replica.spawn()
  await Promise.allSettled(ground.replicas.map((replica) => replica.ready()))
  await pause(3_000)
  const up = (await Promise.all(ground.replicas.map((replica) => replica.isReady()))).filter(Boolean).length
  const stranger = await ground.stranger()
  stranger.spawn()
  const strangerCode = await stranger.ended
  await stranger.close()
  return { up, strangerCode }
}

/** What fails while one replica after the other is drained and started again. */
export async function drained(ground: Ground, rounds: number) {
  const load = await new Load(ground).start()
  const failed: string[] = []
  for (let round = 0; round < rounds; round++) {
    const replica = ground.replica(round)
    replica.signal('SIGTERM')
    const code = await replica.ended
    if (code !== 0) failed.push(`${replica.name} ended with ${code}`)
    await replica.start()
    await pause(300)
  }
  await load.stop()
  return { rounds, sent: load.sent, failed: [...failed, ...load.failed] }
}
