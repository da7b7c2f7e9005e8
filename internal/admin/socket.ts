import { chmodSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { Refusal } from '../ops/ops.ts'

/** The longest path that every system takes for a Unix socket (`sun_path` has 104 bytes on BSD, 108 on Linux). */
const maxPathBytes = 100

/**
 * Makes the path free for a new socket: refuses one that is too long, that is something else than a socket, or behind
 * which a process answers; removes what a dead process left.
 */
export async function claimSocket(path: string): Promise<void> {
  if (Buffer.byteLength(path) > maxPathBytes)
    throw new Refusal(
      'invalid',
      `the path of the admin socket has ${Buffer.byteLength(path)} bytes, and a socket's path may have ${maxPathBytes}: ${path}`,
      'name a shorter one with admin.socket in spillway.yaml, such as admin.socket: /run/spillway/admin.sock',
    )
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (!found) return
  if (!found.isSocket())
    throw new Refusal(
      'conflict',
      `${path} exists and is not a socket`,
      'move it away, or name another with admin.socket',
    )
  if (await answers(path))
    throw new Refusal('conflict', `another process answers at ${path}`, 'stop it, or name another with admin.socket')
  unlinkSync(path)
}

/** Lets nobody but the owner connect. */
export function ownOnly(path: string): void {
  chmodSync(path, 0o600)
}

/** Whether a process accepts connections there; a socket whose process died refuses them at once. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const trial = connect(path)
    trial.once('connect', () => {
      trial.destroy()
      resolve(true)
    })
    trial.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false)
      else reject(error)
    })
  })
}
