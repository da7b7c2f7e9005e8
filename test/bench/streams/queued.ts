import { readFileSync } from 'node:fs'

/**
 * The bytes that the kernel holds, sent and not received or received and not read, on the connections between these
 * pairs of ports of this machine (`/proc/net/tcp`).
 */
export function queuedBytes(pairs: readonly (readonly [number, number])[]): number {
  const wanted = new Set(pairs.flatMap(([one, other]) => [`${hex(one)} ${hex(other)}`, `${hex(other)} ${hex(one)}`]))
  let sum = 0
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n')) {
    const [, , from, , to, , sending, receiving] = line.trim().split(/[ :]+/)
    if (!wanted.has(`${from} ${to}`)) continue
    sum += Number.parseInt(sending ?? '', 16) + Number.parseInt(receiving ?? '', 16)
  }
  return sum
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0')
}
