import { readableSize } from '../config/schema/units.ts'
import type { Ending, HaltReason, RunNote, Trouble } from '../guard/guard.ts'
import type { ClaimShape } from '../ops/ops.ts'
import { span } from '../when/when.ts'
import { exitCodes } from './exit.ts'
import { checkText } from './view/poolview.ts'
import { localTime } from './when.ts'

/** What a run says at its end, null for nothing, and its exit code. */
export interface Conclusion {
  readonly line: string | null
  readonly code: number
}

/** The conclusion of a run that had a daemon. The line has a stable beginning for each kind, for those who filter logs. */
export function conclusionOf(ending: Exclude<Ending, { kind: 'no-daemon' }>, now: number): Conclusion {
  switch (ending.kind) {
    case 'exited':
      return { line: exitText(ending), code: ending.code }
    case 'halted':
      return {
        line: haltText(ending, now),
        code: ending.why === 'exhausted' || ending.why === 'unreachable' ? exitCodes.tryLater : exitCodes.needsPerson,
      }
    case 'cooled':
      return {
        line: `run: cooling (infrastructure): ${troubles[ending.why]}; try again in ${span(ending.waitMs)}`,
        code: exitCodes.tryLater,
      }
    case 'not-admitted':
      return { line: notAdmittedText(ending.why, now), code: exitCodes.tryLater }
    case 'refused':
      return { line: refusalText(ending.claim, now), code: exitCodes.tryLater }
  }
}

/** What is said while a run goes on. */
export function noteText(note: RunNote, now: number): string {
  if (note.kind === 'unnoted')
    return `run: the job could not be noted: ${note.error instanceof Error ? note.error.message : note.error}`
  if (note.kind === 'waiting') return `run: waiting: ${checkText(note.check, now)}; Ctrl-C ends it`
  const { ended, waitMs, retriesLeft } = note
  const how = ended.how === 'exit' ? `exit ${ended.code}` : ended.how === 'signal' ? ended.signal : ended.how
  return `run: attempt failed (${how}); next one in ${span(waitMs)} (${retriesLeft} left)`
}

function exitText({ why, code, attempts }: Extract<Ending, { kind: 'exited' }>): string | null {
  switch (why) {
    case 'succeeded':
    case 'stopped':
      return null
    case 'retries-used-up':
      return attempts > 1 ? `run: gave up after ${attempts} attempts (exit ${code})` : null
    case 'taken-over':
      return 'run: not retried: another run has taken the job over'
    case 'cannot-start':
      return code === 127 ? 'run: the command was not found' : 'run: the command cannot be executed'
  }
}

/** What helps when the program of a job cannot be started: its name, and that a quoted line is one word. */
export function startHint(name: string): string {
  if (/\s/.test(name))
    return `hint: ${JSON.stringify(name)} is one word here: leave out the quotes, or write sh -c before it`
  return `hint: it is ${name}, looked for ${name.includes('/') ? 'there' : 'on the PATH'}`
}

function haltText({ why, check }: Extract<Ending, { kind: 'halted' }>, now: number): string {
  const fixes = why === 'exhausted' || why === 'unreachable' ? [] : check.people.map(({ command }) => command)
  return [`run: halted (${halts[why]}): ${checkText(check, now)}`, ...fixes].join('; ')
}

const halts: Readonly<Record<HaltReason, string>> = {
  'session-expired': 'session expired',
  unreadable: 'secret cannot be read',
  disabled: 'disabled',
  empty: 'no members',
  exhausted: 'exhausted',
  unreachable: 'upstream unreachable',
}

const troubles: Readonly<Record<Trouble, string>> = {
  'folder-missing': 'the working folder does not exist',
  'folder-unreadable': 'the working folder cannot be read',
  'folder-hung': 'the working folder does not answer',
  'proxy-unreachable': 'the proxy takes no connections',
  'daemon-silent': 'the daemon does not answer',
  'no-resources': 'the system has no memory, processes or file descriptors left',
  'io-error': 'the command cannot be read',
}

function notAdmittedText(why: Extract<Ending, { kind: 'not-admitted' }>['why'], now: number): string {
  switch (why.verdict) {
    case 'over-budget': {
      const { name, path, bytes, files, overBy } = why.budget
      return `run: over budget: ${name} (${path}) holds ${readableSize(bytes)} in ${files.toLocaleString('en')} files, over ${overBy.join(' and ')}; nothing was started`
    }
    case 'storage-unreadable': {
      const since = why.since === null ? '' : ` since ${localTime(why.since, now)}`
      return `run: storage unreadable: ${why.hotPath} (${why.path}) is ${why.state}${since}; nothing was started`
    }
    case 'half-open':
      return `run: half-open: another job tries ${why.pool}, until ${localTime(why.until, now)} at the latest; nothing was started`
  }
}

function refusalText({ job, why, holder, until, failures }: ClaimShape, now: number): string {
  if (why === 'running') return `run: running: ${job} is being run by ${holder}`
  const cause = failures > 0 ? `${failures} failure${failures === 1 ? '' : 's'} in a row` : 'infrastructure'
  return `run: waiting: ${job} may be attempted again at ${localTime(until, now)} (${cause})`
}
