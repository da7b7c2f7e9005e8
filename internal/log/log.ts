/**
 * The log: one line per fact on stderr, with an allow-list of fields and without anything that looks like a credential.
 * Logging never throws and never waits for a reader.
 */
import { type DestinationStream, pino } from 'pino'
import { cleanFields, cleanText } from './clean.ts'
import { descriptor, onTerminal, pretty } from './destination.ts'
import type { LogFields } from './fields.ts'

export type { LogFields } from './fields.ts'
export { redact } from './redact.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface Logger {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}

/** The logger of the process, whose level can change while it runs. */
export interface RootLogger extends Logger {
  setLevel(level: LogLevel): void
}

export interface LogOptions {
  readonly level: LogLevel
  /** `auto` is for people when stderr is a terminal, and JSON otherwise. */
  readonly format: 'auto' | 'json' | 'pretty'
  /** Where lines go instead of stderr. */
  readonly destination?: DestinationStream
}

/** A logger that writes to stderr, or to `destination`. */
export function createLogger(options: LogOptions): RootLogger {
  const target = options.destination ?? descriptor(2)
  const people = options.format === 'pretty' || (options.format === 'auto' && !options.destination && onTerminal())
  const colors = people && onTerminal() && !process.env.NO_COLOR
  const lines = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    people ? pretty(target, colors) : target,
  )
  const write = (level: LogLevel) => (fields: LogFields, message: string) => {
    if (!lines.isLevelEnabled(level)) return
    try {
      lines[level](cleanFields(fields), cleanText(String(message)))
    } catch {
      // A line that cannot be written must not stop what it is about.
    }
  }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    setLevel(level) {
      lines.level = level
    },
  }
}

/** A logger that writes nothing. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }
