import { type IncomingHttpHeaders, request } from 'node:http'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { remoteOps, runCli } from '../../../internal/cli/cli.ts'
import type { Installation } from './installation.ts'
import { portWith } from './port.ts'

/** What a command printed and how it ended. */
export interface Typed {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Types one command of `spillway` at the installation's running daemon, over its admin socket, in this process. */
export async function type(spillway: Installation, args: readonly string[], input = ''): Promise<Typed> {
  const { stdout, stderr, code } = begin(spillway, args, Readable.from(input === '' ? [] : [input]))
  return { code: await code, stdout: stdout.text, stderr: stderr.text }
}

/** The same, while it runs: what it has printed so far, and its exit code when it ends. */
export function begin(spillway: Installation, args: readonly string[], stdin: Readable) {
  const stdout = new Sink()
  const stderr = new Sink()
  const code = runCli([...args], {
    stdin,
    stdout,
    stderr,
    env: {},
    cwd: spillway.data,
    port: portWith({
      now: () => spillway.clock.now(),
      open: async () => ({
        ops: remoteOps(join(spillway.data, 'admin.sock'), 'operator:cli'),
        close: async () => undefined,
      }),
    }),
  })
  return { stdout, stderr, code }
}

/** What a request to the admin API was answered. */
export interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** How the admin API is asked: by its socket's path, or by a TCP port. */
interface AdminCall {
  readonly socketPath?: string
  readonly port?: number
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** One plain HTTP request to an admin API, with any headers, also such as `fetch` would not send. */
export function askAdmin({ body, ...call }: AdminCall): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', agent: false, ...call }, (response) => {
      let text = ''
      response.on('data', (bytes: Buffer) => {
        text += bytes
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
    })
    sent.on('error', reject).end(body)
  })
}

class Sink extends Writable {
  text = ''

  override _write(chunk: Buffer | string, _encoding: string, done: () => void): void {
    this.text += String(chunk)
    done()
  }
}
