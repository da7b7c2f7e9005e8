const hourMs = 3_600_000

/** A worker is started so many times an hour at most, whoever starts it. */
export const mostStarts = 3

/** Whether another deed would be one too many in an hour. */
export function isTooOften(deeds: readonly number[], most: number, now: number): boolean {
  return recent(deeds, now).length >= most
}

/** The deeds of the last hour. */
export function recent(deeds: readonly number[], now: number): readonly number[] {
  return deeds.filter((at) => at > now - hourMs && at <= now)
}
