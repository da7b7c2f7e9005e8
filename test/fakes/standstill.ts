import { setTimeout as wait } from 'node:timers/promises'

/** Resolves with a number once it has not changed for 200 ms: that something does not go on can only be waited for. */
export async function standstill(read: () => number): Promise<number> {
  let before = Number.NaN
  for (let now = read(); now !== before; now = read()) {
    before = now
    await wait(200)
  }
  return before
}
