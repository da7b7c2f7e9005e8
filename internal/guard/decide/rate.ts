const hourMs = 3_600_000

/** A worker is started so many times an hour at most, whoever starts it. */
export const mostStarts = 3

/** Whether another action would be one too many in an hour. */
export function isTooOften(actions: readonly number[], most: number, now: number): boolean {
  return recent(actions, now).length >= most
}

/** The actions of the last hour. */
export function recent(actions: readonly number[], now: number): readonly number[] {
  return actions.filter((at) => at > now - hourMs && at <= now)
}
