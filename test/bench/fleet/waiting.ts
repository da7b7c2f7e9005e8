import type { Ground } from './ground.ts'

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Whether it holds within that time. */
export async function until(ms: number, holds: () => boolean | Promise<boolean>): Promise<boolean> {
  for (const begun = performance.now(); performance.now() - begun < ms; await pause(50)) if (await holds()) return true
  return holds()
}

/** Resolves when all replicas say the same of every member; rejects after 10 s. */
export async function agreed(ground: Ground): Promise<void> {
  await ground.same(async ({ ops }) => {
    const { pools } = await ops.status({})
    return pools.map(({ name, members }) => [
      name,
      members.map((member) => [member.name, member.health.state, member.park !== null]),
    ])
  })
}
