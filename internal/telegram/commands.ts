import { type Action, type ActionDeps, carryOut } from './action.ts'
import { auditText, deedsFor, poolLine, poolText, statusText } from './describe.ts'
import { lengthOf } from './text.ts'

/** What a command answers: a text, and what its buttons do. */
interface Reply {
  readonly text: string
  readonly actions?: readonly Action[]
}

/** One word that people can send, and what it does. */
export interface Command {
  readonly name: string
  /** The arguments as `/help` shows them. */
  readonly usage: string
  readonly description: string
  /** Changes something, so it must not be carried out long after it was sent. */
  readonly changes: boolean
  run(args: readonly string[], deps: ActionDeps, actor: string): Promise<Reply>
}

const fewRows = 10
const mostRows = 50
const longestMuteMs = 30 * 86_400_000

/** The commands, in the order of `/help`. */
export const commands: readonly Command[] = [
  {
    name: 'status',
    usage: '',
    description: 'pools and open incidents',
    changes: false,
    async run(_args, deps, actor) {
      const status = await deps.ops.as(actor).status({})
      const muted = muteLine(deps)
      return { text: statusText(status, { ...today(deps), host: deps.host }) + (muted === null ? '' : `\n${muted}`) }
    },
  },
  {
    name: 'pools',
    usage: '',
    description: 'who serves in each pool',
    changes: false,
    async run(_args, deps, actor) {
      const pools = await deps.ops.as(actor).poolList({})
      const lines = pools.map((pool) => poolLine(pool, today(deps)))
      return { text: lines.length === 0 ? 'There is no pool yet.' : lines.join('\n') }
    },
  },
  {
    name: 'pool',
    usage: 'NAME',
    description: 'the members of a pool',
    changes: false,
    async run([name], deps, actor) {
      if (name === undefined) return usage('pool')
      const pool = await deps.ops.as(actor).poolStatus({ name })
      return { text: poolText(pool, today(deps)), actions: deedsFor(pool) }
    },
  },
  {
    name: 'rotate',
    usage: 'NAME',
    description: 'park the active member, the next one serves',
    changes: true,
    async run([pool], deps, actor) {
      return pool === undefined ? usage('rotate') : done({ verb: 'rotate', pool }, deps, actor)
    },
  },
  {
    name: 'park',
    usage: 'NAME MEMBER [1h]',
    description: 'put a member aside',
    changes: true,
    async run([pool, member, length], deps, actor) {
      const forMs = length === undefined ? undefined : lengthOf(length)
      if (pool === undefined || member === undefined || forMs === null) return usage('park')
      return done({ verb: 'park', pool, member, ...(forMs === undefined ? {} : { forMs }) }, deps, actor)
    },
  },
  ...(['unpark', 'clear'] as const).map(
    (verb): Command => ({
      name: verb,
      usage: 'NAME MEMBER',
      description: verb === 'unpark' ? 'take a parked member back' : 'end a cooldown',
      changes: true,
      async run([pool, member], deps, actor) {
        return pool === undefined || member === undefined ? usage(verb) : done({ verb, pool, member }, deps, actor)
      },
    }),
  ),
  {
    name: 'enable',
    usage: 'NAME',
    description: 'let a disabled credential serve again',
    changes: true,
    async run([member], deps, actor) {
      return member === undefined ? usage('enable') : done({ verb: 'enable', member }, deps, actor)
    },
  },
  {
    name: 'audit',
    usage: '[N]',
    description: 'what happened last',
    changes: false,
    async run([count = String(fewRows)], deps, actor) {
      if (!/^\d{1,4}$/.test(count) || Number(count) === 0) return usage('audit')
      const rows = await deps.ops.as(actor).auditList({ limit: Math.min(Number(count), mostRows) })
      return { text: auditText(rows, today(deps)) }
    },
  },
  {
    name: 'mute',
    usage: '1h | off',
    description: 'no sound for a while, and a summary at its end',
    changes: true,
    async run([length], deps) {
      if (length === 'off') deps.notifier.mute(null)
      else if (length !== undefined) {
        const forMs = lengthOf(length)
        if (forMs === null) return usage('mute')
        deps.notifier.mute(deps.now() + Math.min(forMs, longestMuteMs))
      }
      return { text: muteLine(deps) ?? 'Notices are on.' }
    },
  },
  {
    name: 'help',
    usage: '',
    description: 'this list',
    changes: false,
    async run() {
      return {
        text: commands
          .map(({ name, usage, description }) => `${`/${name} ${usage}`.trim()} – ${description}`)
          .join('\n'),
      }
    },
  },
]

async function done(action: Action, deps: ActionDeps, actor: string): Promise<Reply> {
  return { text: await carryOut(action, deps, actor) }
}

function usage(name: string): Reply {
  const command = commands.find((one) => one.name === name)
  return { text: `Usage: /${name} ${command?.usage ?? ''}`.trim() }
}

function muteLine({ notifier, instant, now }: ActionDeps): string | null {
  const until = notifier.mutedUntil()
  return until === null
    ? null
    : `Notices are muted until ${instant(until, now())}: only what is urgent is told, without a sound. /mute off ends that.`
}

function today({ now, instant }: ActionDeps) {
  return { now: now(), instant }
}
