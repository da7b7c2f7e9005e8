import { isatty } from 'node:tty'
import { type DestinationStream, destination } from 'pino'
import { prettyFactory } from 'pino-pretty'

/** More than a reader that keeps up leaves unread; what comes beyond it is dropped. */
const maxWaitingBytes = 1024 * 1024

/**
 * Writes lines to a file descriptor at once, so that none is lost when the process ends. A full pipe or a closed terminal
 * loses lines instead of stopping the process.
 */
export function descriptor(fd: number): DestinationStream {
  const stream = destination({ fd, sync: true, maxLength: maxWaitingBytes, retryEAGAIN: () => false })
  stream.on('error', () => {})
  return stream
}

/** Whether lines on stderr are for people. */
export function onTerminal(): boolean {
  return isatty(2)
}

/** Turns JSON lines into lines for people on their way to `target`: the time, the level, what happened, and to whom. */
export function pretty(target: DestinationStream, colors: boolean): DestinationStream {
  const format = prettyFactory({
    colorize: colors,
    hideObject: true,
    translateTime: 'SYS:HH:MM:ss',
    messageFormat: (line, key) => [String(line[key] ?? ''), ...wordsOf(line, key)].join(' '),
  })
  return {
    write(line) {
      const text: unknown = format(line)
      target.write(typeof text === 'string' ? text : line)
    },
  }
}

/** The fields as `name=value`; what has parts of its own as its sentence, or as JSON. */
function wordsOf(line: Readonly<Record<string, unknown>>, message: string): string[] {
  return Object.entries(line)
    .filter(([name, value]) => !['level', 'time', message].includes(name) && value !== null)
    .map(([name, value]) => `${name}=${shown(value)}`)
}

function shown(value: unknown): string {
  if (typeof value !== 'object' || value === null) return quoted(String(value))
  if (Array.isArray(value)) return value.map(shown).join(', ')
  return 'message' in value ? quoted(String(value.message)) : JSON.stringify(value)
}

function quoted(text: string): string {
  return /[\s"]/.test(text) ? JSON.stringify(text) : text
}
