import { inspectFiles } from '../../blocking/blocking.ts'
import type { Clock } from '../../clock/clock.ts'
import { reach } from '../../ops/ops.ts'
import type { Trouble } from './policy.ts'

/** How long a look at the working folder may take; a mount that needs longer is as good as gone. */
const folderMs = 5_000
/** How long a connection to our own proxy may take; it is on this machine or next to it. */
const proxyMs = 2_000

/** What is wrong with the folder that a job is to run in; null when it can be used. Bounded also where a mount hangs. */
export async function folderTrouble(path: string, clock: Clock): Promise<Trouble | null> {
  const [found] = await inspectFiles([path], folderMs, clock)
  if (!found) return 'folder-unreadable'
  if ('problem' in found) return `folder-${found.problem}`
  return found.directory ? null : 'folder-missing'
}

/** What is wrong with the data plane at this origin; null when it takes connections. */
export async function proxyTrouble(origin: string, clock: Clock): Promise<Trouble | null> {
  const { protocol, hostname, port } = new URL(origin)
  // A connection is enough to know, and asks for no trust in the proxy's certificate.
  const tcp = `http://${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`
  return (await reach(tcp, { deadlineMs: proxyMs, clock })).ok ? null : 'proxy-unreachable'
}
