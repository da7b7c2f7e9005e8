import { type Dialect, spokenTo } from '../../dialect/dialect.ts'
import type { Lease } from '../../engine/engine.ts'
import type { AdmittedRequest, ProxyContext } from './context.ts'

/** How the member of the lease is spoken to: as the pool, unless it is another provider's. */
export function dialectFor(
  { dialectOf }: Pick<ProxyContext, 'dialectOf'>,
  { pool, dialect }: AdmittedRequest,
  { credential }: Lease,
): Dialect {
  const { record } = pool
  return credential.provider === record.provider ? dialect : dialectOf(spokenTo(record, credential.provider))
}
