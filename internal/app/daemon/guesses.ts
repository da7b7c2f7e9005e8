import type { Clock } from '../../clock/clock.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Keyring } from '../../keys/keys.ts'

const windowMs = 30_000
/** One agent with an old key tries a few times; more in a window is told. */
const tolerated = 10

/** The keyring's check, counting keys that do not exist: at most one row and one notice per 30 s, however many there are. */
export function countingGuesses(keys: Keyring, engine: Engine, clock: Clock): Pick<Keyring, 'check'> {
  let attempts = 0
  function judge(): void {
    if (attempts > tolerated) engine.tell({ kind: 'keys_guessed', detail: { attempts } })
    attempts = 0
  }
  return {
    check(pool, presented) {
      const found = keys.check(pool, presented)
      if (!found.ok && found.why === 'unknown' && ++attempts === 1) clock.after(windowMs, judge)
      return found
    },
  }
}
