import type { ModelFamily } from '../pool/pool.ts'
import type { Signal } from './signal.ts'

/** A window of a Claude plan that refuses: shared by all models (`5h`, `7d`) or of one family (`7d_opus`). */
export interface RejectedWindow {
  readonly kind: 'shared' | 'family'
  /** What follows the length in the window's name; empty for a shared one. */
  readonly suffix: string
  /** Its reset as it came: epoch seconds. */
  readonly reset: string | undefined
}

const prefix = 'anthropic-ratelimit-unified-'

/** Windows whose name says the family; `oi` and what comes later do not, and mean the family of the request. */
export const families: readonly string[] = ['opus', 'sonnet', 'haiku', 'fable']

/** The windows with `…-status: rejected`, unknown ones too. `overage` is none: it is the allowance beyond the plan. */
export function rejectedWindows({ header, headerNames }: Signal): readonly RejectedWindow[] {
  const names = headerNames().flatMap((name) => /^anthropic-ratelimit-unified-(.+)-status$/.exec(name)?.[1] ?? [])
  return names
    .filter((name) => name !== 'overage' && header(`${prefix}${name}-status`) === 'rejected')
    .map((name) => {
      const suffix = /^\d+[a-z]+_(.+)$/.exec(name)?.[1] ?? ''
      return { kind: suffix === '' ? 'shared' : 'family', suffix, reset: header(`${prefix}${name}-reset`) }
    })
}

/** The families that the rejected windows name; empty when one of them names none. */
export function familiesOf(signal: Signal): readonly ModelFamily[] {
  const suffixes = rejectedWindows(signal).map((window) => window.suffix)
  return suffixes.every((suffix) => families.includes(suffix)) ? suffixes : []
}
