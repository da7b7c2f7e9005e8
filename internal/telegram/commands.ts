import { type Action, carryOut, type Desk } from './action.ts'
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
  run(args: readonly string[], desk: Desk, actor: string): Promise<Reply>
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
    async run(_args, desk, actor) {
      const status = await desk.ops.as(actor).status({})
      const muted = muteLine(desk)
      return { text: statusText(status, today(desk)) + (muted === null ? '' : `\n${muted}`) }
    },
  },
  {
    name: 'pools',
    usage: '',
    description: 'who serves in each pool',
    changes: false,
    async run(_args, desk, actor) {
      const pools = await desk.ops.as(actor).poolList({})
      const lines = pools.map((pool) => poolLine(pool, today(desk)))
      return { text: lines.length === 0 ? 'There is no pool yet.' : lines.join('\n') }
    },
  },
  {
    name: 'pool',
    usage: 'NAME',
    description: 'the members of a pool',
    changes: false,
    async run([name], desk, actor) {
      if (name === undefined) return usage('pool')
      const pool = await desk.ops.as(actor).poolStatus({ name })
      return { text: poolText(pool, today(desk)), actions: deedsFor(pool) }
    },
  },
  {
    name: 'rotate',
    usage: 'NAME',
    description: 'park the active member, the next one serves',
    changes: true,
    async run([pool], desk, actor) {
      return pool === undefined ? usage('rotate') : done({ verb: 'rotate', pool }, desk, actor)
    },
  },
  {
    name: 'park',
    usage: 'NAME MEMBER [1h]',
    description: 'put a member aside',
    changes: true,
    async run([pool, member, length], desk, actor) {
      const forMs = length === undefined ? undefined : lengthOf(length)
      if (pool === undefined || member === undefined || forMs === null) return usage('park')
      return done({ verb: 'park', pool, member, ...(forMs === undefined ? {} : { forMs }) }, desk, actor)
    },
  },
  ...(['unpark', 'clear'] as const).map(
    (verb): Command => ({
      name: verb,
      usage: 'NAME MEMBER',
      description: verb === 'unpark' ? 'take a parked member back' : 'end a cooldown',
      changes: true,
      async run([pool, member], desk, actor) {
        return pool === undefined || member === undefined ? usage(verb) : done({ verb, pool, member }, desk, actor)
      },
    }),
  ),
  {
    name: 'audit',
    usage: '[N]',
    description: 'what happened last',
    changes: false,
    async run([count = String(fewRows)], desk, actor) {
      if (!/^\d{1,4}$/.test(count) || Number(count) === 0) return usage('audit')
      const rows = await desk.ops.as(actor).auditList({ limit: Math.min(Number(count), mostRows) })
      return { text: auditText(rows, today(desk)) }
    },
  },
  {
    name: 'mute',
    usage: '1h | off',
    description: 'no notices for a while',
    changes: true,
    async run([length], desk) {
      if (length === 'off') desk.notifier.mute(null)
      else if (length !== undefined) {
        const forMs = lengthOf(length)
        if (forMs === null) return usage('mute')
        desk.notifier.mute(desk.now() + Math.min(forMs, longestMuteMs))
      }
      return { text: muteLine(desk) ?? 'Notices are on.' }
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

async function done(action: Action, desk: Desk, actor: string): Promise<Reply> {
  return { text: await carryOut(action, desk, actor) }
}

function usage(name: string): Reply {
  const command = commands.find((one) => one.name === name)
  return { text: `Usage: /${name} ${command?.usage ?? ''}`.trim() }
}

function muteLine({ notifier, wall, now }: Desk): string | null {
  const until = notifier.mutedUntil()
  return until === null ? null : `Notices are muted until ${wall(until, now())}. /mute off ends that.`
}

function today({ now, wall }: Desk) {
  return { now: now(), wall }
}
