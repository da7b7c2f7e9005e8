import { foreignIssuer } from '../../dialect/dialect.ts'
import { bareHost, isLoopback, literalAddress } from '../../net/net.ts'
import type { CredentialRecord } from '../../store/store.ts'
import type { Call } from '../verb.ts'

/** What its owner should know about a credential that has been taken as it was given: nothing here keeps it from serving. */
export async function remarksOn(call: Call, record: CredentialRecord): Promise<string[]> {
  const { problem, key } = await heldKey(call, record)
  return [
    ...(problem === null ? [] : [problem]),
    ...(key === null ? [] : foreignKey(record, key)),
    ...(record.baseUrl === null ? [] : clearText(record.baseUrl)),
  ]
}

/** A command is run once, so that its owner hears now, and not at the first request, that it prints nothing. */
async function heldKey(call: Call, record: CredentialRecord): Promise<{ problem: string | null; key: string | null }> {
  const known = () => call.credentials.problemOf(record)?.message ?? null
  if (record.auth === 'oauth') return { problem: known(), key: null }
  try {
    const { injection } = await call.credentials.current(record)
    return { problem: known(), key: injection.kind === 'api-key' ? injection.secret : null }
  } catch (error) {
    return { problem: known() ?? (error instanceof Error ? error.message : 'the secret cannot be read'), key: null }
  }
}

/** A gateway may take the keys of anybody; of a generic upstream nothing is known. */
function foreignKey({ provider, baseUrl }: CredentialRecord, key: string): string[] {
  const issuer = provider === 'generic' ? null : foreignIssuer(key, provider)
  if (issuer === null) return []
  const looks = `that looks like a key of ${issuer}, and it is for ${provider}`
  return [baseUrl === null ? looks : `${looks}; that is right only if ${baseUrl} takes it`]
}

function clearText(baseUrl: string): string[] {
  const { protocol, hostname } = new URL(baseUrl)
  const host = bareHost(hostname)
  if (protocol !== 'http:' || isLoopback(host) || literalAddress(host) !== null) return []
  return [`${baseUrl} is plain http: everybody on the way can read the secret; is there an https:// address?`]
}
