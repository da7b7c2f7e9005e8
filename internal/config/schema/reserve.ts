import type { Config } from './schema.ts'

const part = 0.15
const most = 4 * 1024 ** 3

/** The bytes that are to stay free on a file system of this size: as configured, or the smaller of 15 % and 4 GiB. */
export function reserveOf({ reserveBytes }: Config['disk'], totalBytes: number): number {
  return reserveBytes === 'auto' ? Math.floor(Math.min(totalBytes * part, most)) : reserveBytes
}
