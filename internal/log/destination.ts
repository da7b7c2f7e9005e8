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

/** Turns JSON lines into lines for people on their way to `target`. */
export function pretty(target: DestinationStream, colors: boolean): DestinationStream {
  const format = prettyFactory({
    colorize: colors,
    singleLine: true,
    errorLikeObjectKeys: [],
    translateTime: 'SYS:HH:MM:ss',
  })
  return {
    write(line) {
      const text: unknown = format(line)
      target.write(typeof text === 'string' ? text : line)
    },
  }
}
