import { isIPv6 } from 'node:net'
import type { Clock } from '../clock/clock.ts'

const windowMs = 60_000
const tolerated = 10
const mostAddresses = 10_000

/** Counts wrong guesses per address and minute. */
export interface Guesses {
  /** How many seconds an address that guessed too often is to wait; 0 for all others. */
  waitSeconds(address: string): number
  /** Counts a wrong one. */
  wrong(address: string): void
}

/** No guesses yet; 10 a minute are let pass for each address (IPv6: for each network of 64 bits). */
export function countGuesses(clock: Clock): Guesses {
  const counts = new Map<string, { count: number; readonly until: number }>()
  const current = (address: string) => {
    const found = counts.get(networkOf(address))
    return found && found.until > clock.now() ? found : undefined
  }
  return {
    waitSeconds(address) {
      const found = current(address)
      return found && found.count >= tolerated ? Math.ceil((found.until - clock.now()) / 1_000) : 0
    },
    wrong(address) {
      const found = current(address)
      if (found) found.count++
      else {
        if (counts.size >= mostAddresses) counts.clear()
        counts.set(networkOf(address), { count: 1, until: clock.now() + windowMs })
      }
    },
  }
}

function networkOf(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address
  return new URL(`http://[${address.split('%')[0]}]`).hostname.slice(1, -1).split(':').slice(0, 4).join(':')
}
