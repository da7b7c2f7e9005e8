import { type StdioOptions, spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Ended, Trouble } from './policy.ts'

/** A program and its arguments, passed on as they are: no shell reads them. */
export type CommandLine = readonly [program: string, ...args: string[]]

/** A running child. */
export interface Child {
  /** Never rejects: a child that could not be started has ended, too. */
  readonly ended: Promise<Ended>
  kill(signal: NodeJS.Signals): void
}

/** What the child gets from us. */
export interface ChildOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdio: StdioOptions
}

/** Starts the program; its folder must have been looked at before, because ENOENT does not say which of the two is missing. */
export function startChild([program, ...args]: CommandLine, { cwd, env, stdio }: ChildOptions): Child {
  try {
    const child = spawn(program, args, { cwd, env, stdio })
    return {
      ended: new Promise((resolve) => {
        // Without a pid it was not started; with one, the error is about a signal that could not be sent.
        child.on('error', (error) => child.pid === undefined && resolve(unstarted(error)))
        child.on('exit', (code, signal) =>
          resolve(signal ? { how: 'signal', signal } : { how: 'exit', code: code ?? 1 }),
        )
      }),
      kill: (signal) => child.kill(signal),
    }
  } catch (error) {
    // Node throws some system errors and emits others.
    return { ended: Promise.resolve(unstarted(error)), kill: () => undefined }
  }
}

const troubles: Readonly<Record<string, Trouble>> = {
  ENOMEM: 'no-resources',
  EAGAIN: 'no-resources',
  EMFILE: 'no-resources',
  ENFILE: 'no-resources',
  EIO: 'io-error',
  ENOTCONN: 'io-error',
  ESTALE: 'io-error',
  EHOSTDOWN: 'io-error',
  ENODEV: 'io-error',
  ENXIO: 'io-error',
  ETIMEDOUT: 'io-error',
}

/** How a start that the system refused with this error counts. */
export function unstarted(error: unknown): Ended {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const trouble = troubles[code]
  if (trouble) return { how: 'infra', trouble }
  return { how: code === 'ENOENT' || code === 'ENOTDIR' ? 'not-found' : 'not-executable' }
}

/** The exit code that a shell would give for it (POSIX: 126, 127 and 128 + signal); 75 for trouble that may pass. */
export function exitCodeOf(ended: Ended): number {
  switch (ended.how) {
    case 'exit':
      return ended.code
    case 'signal':
      return 128 + constants.signals[ended.signal]
    case 'not-found':
      return 127
    case 'not-executable':
      return 126
    case 'infra':
      return 75
  }
}
