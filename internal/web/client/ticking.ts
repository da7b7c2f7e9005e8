import { relative } from '../pages/time.ts'

/** The server's clock, as the page sees it. */
export interface Ticking {
  /** What the server's clock shows now. */
  set(now: number): void
  /** Says every instant anew. */
  tick(): void
}

/** Says the instants of the page anew each second, by the clock of the server. */
export function ticking(serverNow: number): Ticking {
  let skew = serverNow - Date.now()
  function tick(): void {
    if (document.hidden) return
    const now = Date.now() + skew
    for (const time of document.querySelectorAll<HTMLTimeElement>('time[data-tick]')) {
      const text = relative(Date.parse(time.dateTime), now)
      if (time.textContent !== text) time.textContent = text
    }
  }
  setInterval(tick, 1_000)
  return {
    set(now) {
      skew = now - Date.now()
    },
    tick,
  }
}
