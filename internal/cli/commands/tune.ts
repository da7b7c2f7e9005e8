import { type Command, InvalidArgumentError } from 'commander'
import type { PoolShape } from '../../ops/ops.ts'
import { type Cli, leaf, ordinal } from '../command.ts'

/** A value that is set, or nothing: commander has an empty text for what a reader calls null. */
type Tuned<T> = T | '' | null

interface TuneOptions {
  readonly weight?: Tuned<number>
  readonly tier?: Tuned<number>
  readonly maxInflight?: Tuned<number>
  readonly cap?: Tuned<Record<string, number | null>>
}

/** `pool tune`: what an operator sets of one member. */
export function tuneCommand(pool: Command, cli: Cli): void {
  leaf(pool, 'tune <name> <member>', 'weight, tier and limits of a member; an empty value takes a setting back')
    .option('--weight <w>', 'share under the strategy weighted (default: 1)', orNothing)
    .option('--tier <n>', '2 serves only when nobody of 1 can (default: 1)', orNothing)
    .option('--cap <window=percent>', 'leave the rest of a window unused, such as 7d=60; repeatable', cap)
    .option('--max-inflight <n>', 'how many requests it may have under way (default: any number)', orNothing)
    .action((name: string, member: string, options: TuneOptions, command: Command) =>
      cli.withOps(command, async (ops) => {
        const { weight, tier, maxInflight, cap: caps } = options
        const tuned = await ops.poolTune({
          name,
          member,
          ...(weight === undefined ? {} : { weight: weight || null }),
          ...(tier === undefined ? {} : { tier: tier || null }),
          ...(caps === undefined ? {} : { caps: caps || null }),
          ...(maxInflight === undefined ? {} : { maxInFlight: maxInflight || null }),
        })
        cli.screen.print(`${name}: ${member} has ${settingsOf(tuned, member)}`)
      }),
    )
}

/** A whole number from 1, or null for an empty value. */
function orNothing(text: string): number | null {
  try {
    return text === '' ? null : ordinal(text)
  } catch {
    throw new InvalidArgumentError("Expected a whole number from 1, or '' to take it back.")
  }
}

/** `7d=60` beside the caps before it; `7d=` takes one back, and an empty value all. */
function cap(text: string, before: TuneOptions['cap']): Record<string, number | null> | null {
  if (text === '') return null
  const [, window = '', percent = ''] = /^([^=]+)=(\d{0,3}(?:\.\d+)?)%?$/.exec(text) ?? []
  const value = percent === '' ? null : Number(percent)
  if (window === '' || (value !== null && (value < 1 || value > 100)))
    throw new InvalidArgumentError('Expected WINDOW=PERCENT from 1 to 100, such as 7d=60.')
  return { ...(before || {}), [window]: value }
}

/** `weight 1, tier 2, at most 4 in flight`. */
function settingsOf({ members }: PoolShape, name: string): string {
  const member = members.find((one) => one.name === name)
  if (!member) return 'left'
  const { weight, tier, maxInFlight, caps } = member
  const all = Object.entries(caps).map(([window, percent]) => `${window} up to ${percent} %`)
  if (maxInFlight !== null) all.push(`at most ${maxInFlight} in flight`)
  return [`weight ${weight}`, `tier ${tier}`, ...all].join(', ')
}
