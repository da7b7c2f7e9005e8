import { type Config, formatAddress } from '../../config/config.ts'
import { isLoopback } from '../../net/net.ts'
import type { DoctorRow } from './row.ts'

/** A row for each address on which other machines can reach it in clear text; none where nobody else can. */
export function exposureRows({ server, admin }: Config): DoctorRow[] {
  const rows: DoctorRow[] = []
  if (!isLoopback(server.listen.host) && server.tls.certFile === null)
    rows.push({
      check: 'listen',
      state: 'warn',
      message: `${formatAddress(server.listen)} is reachable from other machines, without encryption`,
      hint: 'client keys can be read on the way: set server.tls.certFile and keyFile, or put a proxy with TLS before it',
    })
  if (admin.listen !== null && !isLoopback(admin.listen.host))
    rows.push({
      check: 'admin.listen',
      state: 'warn',
      message: `${formatAddress(admin.listen)} is reachable from other machines, without encryption`,
      hint: 'its token can be read on the way: listen on 127.0.0.1 and reach it through a tunnel',
    })
  return rows
}
